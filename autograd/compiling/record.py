"""The record of an entry: the words that its native code works with, and the rows of the tables that they lead to."""

from __future__ import annotations

from enum import IntEnum, auto

ANY = -(2**63)  # a stride that may be anything


class Word(IntEnum):
    """Words of 64 bits, numbered from 0."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:
        return count


class Field(Word):
    """The words of a record. Those that end with TABLE, and all memory, are addresses."""

    NONE = auto()  # objects of Python
    FLOAT = auto()
    NDARRAY = auto()
    TUPLE = auto()
    DATA = auto()  # where a Value has its data
    GRAD = auto()  # and its grad

    ROWS = auto()
    ARGUMENTS = auto()  # how many
    ARGUMENT_TABLE = auto()
    BY_ROW = auto()  # how many results come by row
    RESULTS = auto()  # how many there are with the sums
    RESULT_TABLE = auto()
    FOUND = auto()  # room for the object of each result
    STEPS = auto()  # how many numbers say what is returned:
    STEP_TABLE = auto()  # push the object of that number, or make a tuple of the last −n objects
    STACK = auto()  # room for these

    LEAVES = auto()
    LEAF_TABLE = auto()
    LEAF_PARAMETER = auto()  # the number of the parameter that gets the data of the first leaf
    BACKWARD = auto()  # 1: the sums after the first are added to the leaves' grad, and the first is returned

    BUSY = auto()  # a word that is 1 while the workspace is in use
    RELEASES = auto()  # 1: other threads of Python may run meanwhile
    RUN = auto()
    PREPARES = auto()
    PREPARE = auto()
    SLOTS = auto()
    PARAMETERS = auto()
    PACKED = auto()
    ACCUMULATORS = auto()
    CALLS = auto()
    ARRAYS = auto()
    FLAG = auto()
    OPERANDS = auto()
    ITEM = auto()  # bytes of a number
    PACKED_COUNT = auto()
    PACKED_TABLE = auto()

    ACCUMULATOR_COUNT = auto()
    LANES = auto()
    TOTALS = auto()  # room for the total of each accumulator, the number of rows, and one number more
    PARTS = auto()
    PART_TABLE = auto()
    SUM_COUNT = auto()
    SUMS = auto()
    MEAN = auto()  # 1: sums are divided by the number of rows, and so are slopes by row

    FINITE = auto()  # 1: where a result is inf or nan the call is done again in Python
    GUARDED_COUNT = auto()
    GUARDED_TABLE = auto()  # parameters that must be finite too


class Argument(Word):
    """A row of the table of arguments."""

    KIND = auto()  # the word that says its kind of numbers, see ``objects``; 0 for a float
    AXES = auto()
    LENGTHS = auto()  # the lengths of the axes, then their strides or ANY
    PARAMETER = auto()  # the number of the parameter that gets its first number; −1 if native code reads the array
    ARRAY = auto()  # its number among the arrays that native code gets; −1 if it is none of them
    HAS_ROWS = auto()  # 1: native code goes from row to row of it
    NUMBER = auto()  # where the number of a float is put
    BYTES = auto()  # of one row, or of all if it has none
    LOW = auto()  # where its memory begins and ends; set by each call
    HIGH = auto()


class Result(Word):
    """A row of the table of results."""

    KIND = auto()  # as for arguments, in the same places
    AXES = auto()
    LENGTHS = auto()
    IS_FLOAT = auto()  # 1: a float is returned unless an array is given for it
    NUMBERS = auto()  # where the number of a float, or the sums of an array, are; 0 if the array is written directly
    ITEM = auto()  # bytes of one of these
    BYTES = auto()  # of all
    ARRAY = auto()  # its number among the arrays that native code gets
    STRIDE = auto()  # from row to row
    DTYPE = auto()  # an object, for new arrays
    SHARE = auto()  # how many numbers are divided by the number of rows, by row
    LOW = auto()
    HIGH = auto()


class Leaf(Word):
    """A row of the table of leaves."""

    VALUE = auto()
    SPARE = auto()  # the float that its grad will be, or was, during a call; else NULL


class Part(Word):
    """A row of the table of parts: a sum is made of the totals of accumulators; see ``workspace.Sums``."""

    SUM = auto()
    TOTAL = auto()
    SIGN = auto()  # a double
    SCALE = auto()  # the number of a parameter; −1 for none
