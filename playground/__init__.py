"""A page that runs the engine in a browser: Python in a web worker, the lesson, explanations and checks beside it."""
