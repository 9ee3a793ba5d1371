"""One demo a tutorial; `python -m demos` lists them."""
