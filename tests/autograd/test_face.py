"""What ``import autograd`` gives, with and without optional packages."""

import subprocess
import sys

import pytest

WITHOUT_NUMPY = """
import sys
sys.modules["numpy"] = None
from autograd import *
assert grad(lambda x: x * x)(3.0) == 6.0
try:
    compile(lambda x: x * x)
except MissingExtraError as error:
    print(error)
"""

LIGHT = """
import sys
before = set(sys.modules)
import autograd
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))
"""


@pytest.mark.parametrize(
    ("program", "printed"),
    [(WITHOUT_NUMPY, "pip install 'scalar-autograd[compile]'"), (LIGHT, "autograd")],
    ids=["without NumPy", "standard library only"],
)
def test_a_fresh_interpreter(program: str, printed: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(printed), done.stdout
