"""One demo a tutorial; `python -m demos` lists them."""

import nn
from autograd.namesakes import check

check(nn, "MLP")
