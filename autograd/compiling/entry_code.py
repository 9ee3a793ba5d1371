"""The native code of an entry, in LLVM's assembly language: one call of a compiled function from Python.

It is the same for every function. What it works with stands in the entry's ``record``. Wherever a call is not the one
that was prepared for, it changes nothing and returns ``None``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from . import objects
from .assembly import Routine
from .record import ANY, Argument, Field, Leaf, Part, Result

# Numbers of a program and their bytes. No optimiser moves the question out of a loop, so these are written for both.
_KINDS = (("double", 8), ("float", 4))


class _Function(Routine):
    """Writes one function of the entry; those that return i1 say whether all went well."""

    def field(self, field: Field) -> str:
        """A word of the record."""
        return self.word("%record", field)

    def memory(self, field: Field) -> str:
        """The same as a pointer."""
        return self.address("%record", field)

    def number(self, base: str, index: str, item: str = "") -> str:
        """A number of an array of doubles or floats."""
        return self.let(f"call double @number(ptr {base}, i64 {index}, i64 {item or self.field(Field.ITEM)})")

    def put_number(self, base: str, index: str, x: str) -> None:
        """Change one."""
        self.do(f"call void @put_number(ptr {base}, i64 {index}, i64 {self.field(Field.ITEM)}, double {x})")

    def on(self, field: Field) -> str:
        """Whether a word of the record is not 0."""
        return self.test(f"ne i64 {self.field(field)}, 0")

    def exactly(self, thing: str, kind: Field) -> str:
        """Whether an object is of a type, and not of a subclass."""
        return self.test(f"eq ptr {self.get('ptr', thing, objects.TYPE)}, {self.memory(kind)}")

    def finite(self, x: str) -> str:
        """Whether it is neither inf nor nan: x − x is 0 for all other numbers."""
        return self.let(f"fcmp oeq double {self.let(f'fsub double {x}, {x}')}, 0.0")

    @contextmanager
    def rows(self, table: Field, count: Field, width: int = 1) -> Iterator[tuple[str, str]]:
        """A loop over a table: the number of each row, and where it begins."""
        base = self.memory(table)
        with self.each(self.field(count)) as loop:
            yield loop.index, self.item(base, loop.index, 8 * width)

    def answer(self) -> str:
        """The text of a function that has come to its end: all went well, unless it went to the label ``no``."""
        self.finish("ret i1 true")
        self.begin("no")
        self.finish("ret i1 false")
        return self.text()


def _number() -> str:
    f = _Function("double @number(ptr %base, i64 %index, i64 %item) alwaysinline")
    f.unless(f.test("eq i64 %item, 8"), "single")
    f.finish(f"ret double {f.get('double', f.item('%base', '%index'))}")
    f.begin("single")
    x = f.get("float", f.item("%base", "%index", 4))
    f.finish(f"ret double {f.let(f'fpext float {x} to double')}")
    return f.text()


def _put_number() -> str:
    f = _Function("void @put_number(ptr %base, i64 %index, i64 %item, double %x) alwaysinline")
    f.unless(f.test("eq i64 %item, 8"), "single")
    f.put("double", "%x", f.item("%base", "%index"))
    f.finish()
    f.begin("single")
    f.put("float", f.let("fptrunc double %x to float"), f.item("%base", "%index", 4))
    return f.text()


# Arrays in and out ---------------------------------------------------------------------------------------------------


def _fits() -> str:
    """Whether an object is an array of the dtype, shape, strides and flags that were prepared for."""
    f = _Function("i1 @fits(ptr %record, ptr %thing, ptr %row, i32 %wanted)")
    f.unless(f.exactly("%thing", Field.NDARRAY), "no")
    kind = f.get("i64", f.get("ptr", "%thing", objects.KIND), objects.KIND_WORD)
    kind = f.let(f"and i64 {kind}, {objects.KIND_BITS}")
    f.unless(f.test(f"eq i64 {kind}, {f.word('%row', Argument.KIND)}"), "no")
    flags = f.let(f"and i32 {f.get('i32', '%thing', objects.FLAGS)}, %wanted")
    f.unless(f.test(f"eq i32 {flags}, %wanted"), "no")
    axes = f.let(f"zext i32 {f.get('i32', '%thing', objects.AXES)} to i64")
    f.unless(f.test(f"eq i64 {axes}, {f.word('%row', Argument.AXES)}"), "no")
    lengths, strides = f.get("ptr", "%thing", objects.SHAPE), f.get("ptr", "%thing", objects.STRIDES)
    expected = f.address("%row", Argument.LENGTHS)
    with f.each(axes) as axis:
        f.unless(f.test(f"eq i64 {f.entry(lengths, axis.index)}, {f.entry(expected, axis.index)}"), "no")
        stride = f.entry(expected, f.let(f"add i64 {axis.index}, {axes}"))
        same = f.test(f"eq i64 {f.entry(strides, axis.index)}, {stride}")
        f.unless(f.let(f"or i1 {same}, {f.test(f'eq i64 {stride}, {ANY}')}"), "no")
    return f.answer()


def _read() -> str:
    """Read the arguments: native code gets arrays where they are, and numbers that all rows share as parameters."""
    f = _Function("i1 @read(ptr %record, ptr %given)")
    parameters, arrays = f.memory(Field.PARAMETERS), f.memory(Field.ARRAYS)
    steps = f.let(f"sub i64 {f.field(Field.ROWS)}, 1")
    with f.rows(Field.ARGUMENT_TABLE, Field.ARGUMENTS, len(Argument)) as (k, row):
        thing, done = f.get("ptr", f.item("%given", k)), f.label()
        parameter, array = f.word(row, Argument.PARAMETER), f.word(row, Argument.ARRAY)
        with f.when(f.test(f"eq i64 {f.word(row, Argument.KIND)}, 0")):
            f.unless(f.exactly(thing, Field.FLOAT), "no")
            f.put_number(f.address(row, Argument.NUMBER), "0", f.get("double", thing, objects.FLOAT))
            f.go(done)
        f.unless(f.let(f"call i1 @fits(ptr %record, ptr {thing}, ptr {row}, i32 {objects.IS_ALIGNED})"), "no")
        data, size = f.get("ptr", thing, objects.DATA), f.word(row, Argument.BYTES)
        low = f.let(f"ptrtoint ptr {data} to i64")
        high = f.let(f"add i64 {low}, {size}")
        f.put("i64", low, row, 8 * Argument.LOW)
        f.put("i64", high, row, 8 * Argument.HIGH)
        with f.when(f.test(f"sge i64 {parameter}, 0")):
            to = f.at(parameters, f.let(f"mul i64 {parameter}, {f.field(Field.ITEM)}"))
            f.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {data}, i64 {size}, i1 false)")
        with f.when(f.test(f"sge i64 {array}, 0")):
            place = f.item(arrays, array, 16)
            f.put("i64", low, place)
            f.unless(f.test(f"ne i64 {f.word(row, Argument.HAS_ROWS)}, 0"), done)
            stride = f.get("i64", f.get("ptr", thing, objects.STRIDES))
            f.put("i64", stride, place, 8)
            span = f.let(f"mul i64 {stride}, {steps}")
            first, last = (f.let(f"call i64 @llvm.{which}.i64(i64 {span}, i64 0)") for which in ("smin", "smax"))
            f.put("i64", f.let(f"add i64 {low}, {first}"), row, 8 * Argument.LOW)
            f.put("i64", f.let(f"add i64 {high}, {last}"), row, 8 * Argument.HIGH)
        f.begin(done)
    return f.answer()


def _accept() -> str:
    """Take the arrays given for results by row. None may share memory with an argument, or with another one."""
    f = _Function("i1 @accept(ptr %record, ptr %given)")
    table, arguments, found = f.memory(Field.RESULT_TABLE), f.memory(Field.ARGUMENT_TABLE), f.memory(Field.FOUND)
    flags = objects.IS_ALIGNED | objects.IS_WRITEABLE
    with f.rows(Field.RESULT_TABLE, Field.BY_ROW, len(Result)) as (k, row):
        thing = f.get("ptr", f.item("%given", k))
        f.unless(f.let(f"call i1 @fits(ptr %record, ptr {thing}, ptr {row}, i32 {flags})"), "no")
        low = f.get("i64", thing, objects.DATA)
        high = f.let(f"add i64 {low}, {f.word(row, Result.BYTES)}")
        f.put("i64", low, row, 8 * Result.LOW)
        f.put("i64", high, row, 8 * Result.HIGH)
        for base, count, width, end in (
            (arguments, f.field(Field.ARGUMENTS), len(Argument), Argument.LOW),
            (table, k, len(Result), Result.LOW),
        ):
            with f.each(count) as loop:
                other = f.item(base, loop.index, 8 * width)
                above = f.test(f"ule i64 {f.get('i64', other, 8 * end + 8)}, {low}")
                below = f.test(f"ule i64 {high}, {f.get('i64', other, 8 * end)}")
                f.unless(f.let(f"or i1 {above}, {below}"), "no")
        f.do(f"call void @Py_IncRef(ptr {thing})")
        f.put("ptr", thing, f.item(found, k))
    return f.answer()


def _new() -> str:
    """A new array for a result; NULL if there is no memory for it."""
    f = _Function("ptr @new(ptr %record, ptr %row)")
    kind, lengths = f.address("%row", Result.DTYPE), f.address("%row", Result.LENGTHS)
    f.do(f"call void @Py_IncRef(ptr {kind})")  # the array takes this reference over
    axes = f.let(f"trunc i64 {f.word('%row', Result.AXES)} to i32")
    of_them = f"ptr {f.memory(Field.NDARRAY)}, ptr {kind}, i32 {axes}, ptr {lengths}"
    f.finish(f"ret ptr {f.let(f'call ptr @new_array({of_them}, ptr null, ptr null, i32 0, ptr null)')}")
    return f.text()


def _place() -> str:
    """Where native code writes each result by row: into a given array, a new one, or the record's numbers."""
    f = _Function("i1 @place(ptr %record)")
    found, arrays = f.memory(Field.FOUND), f.memory(Field.ARRAYS)
    with f.rows(Field.RESULT_TABLE, Field.BY_ROW, len(Result)) as (k, row):
        place, own, ready = f.item(arrays, f.word(row, Result.ARRAY), 16), f.item(found, k), f.label()
        f.put("i64", f.word(row, Result.STRIDE), place, 8)
        with f.when(f.test(f"eq ptr {f.get('ptr', own)}, null")):
            with f.when(f.test(f"ne i64 {f.word(row, Result.IS_FLOAT)}, 0")):
                f.put("i64", f.word(row, Result.NUMBERS), place)
                f.go(ready)
            array = f.let(f"call ptr @new(ptr %record, ptr {row})")
            f.unless(f.test(f"ne ptr {array}, null"), "no")
            f.put("ptr", array, own)
        f.put("ptr", f.get("ptr", f.get("ptr", own), objects.DATA), place)
        f.begin(ready)
    return f.answer()


# Leaves --------------------------------------------------------------------------------------------------------------


def _gather() -> str:
    """The data of the leaves become parameters; it, and any grad that is needed, must be floats."""
    f = _Function("i1 @gather(ptr %record)")
    parameters, first, data = f.memory(Field.PARAMETERS), f.field(Field.LEAF_PARAMETER), f.field(Field.DATA)
    first = f.item(parameters, first, f.field(Field.ITEM))
    number = f.memory(Field.FLOAT)
    for kind, size in _KINDS:
        is_kind = f.test(f"eq i64 {f.field(Field.ITEM)}, {size}")
        with f.when(is_kind), f.rows(Field.LEAF_TABLE, Field.LEAVES, len(Leaf)) as (k, row):
            x = f.get("ptr", f.address(row, Leaf.VALUE), data)
            f.unless(f.test(f"ne ptr {x}, null"), "no")
            f.unless(f.test(f"eq ptr {f.get('ptr', x, objects.TYPE)}, {number}"), "no")
            own = f.get("double", x, objects.FLOAT)
            own = own if size == 8 else f.let(f"fptrunc double {own} to float")
            f.put(kind, own, f.item(first, k, size))
    with f.when(f.on(Field.BACKWARD)):
        f.unless(f.let("call i1 @have_gradients(ptr %record)"), "no")
    return f.answer()


def _have_gradients() -> str:
    """Whether the grad of every leaf is a float."""
    f = _Function("i1 @have_gradients(ptr %record)")
    grad = f.field(Field.GRAD)
    with f.rows(Field.LEAF_TABLE, Field.LEAVES, len(Leaf)) as (_, row):
        x = f.get("ptr", f.address(row, Leaf.VALUE), grad)
        f.unless(f.test(f"ne ptr {x}, null"), "no")
        f.unless(f.exactly(x, Field.FLOAT), "no")
    return f.answer()


def _scatter() -> str:
    """Add the sums after the first to the leaves' grad: to all of them, or to none.

    All new floats are made before any is put in its place, which takes the old one out.
    """
    f = _Function("i1 @scatter(ptr %record)")
    f.unless(f.let("call i1 @have_gradients(ptr %record)"), "no")
    grad, slopes = f.field(Field.GRAD), f.at(f.memory(Field.SUMS), 8)
    with f.rows(Field.LEAF_TABLE, Field.LEAVES, len(Leaf)) as (k, row):
        old = f.get("ptr", f.address(row, Leaf.VALUE), grad)
        total = f.let(f"fadd double {f.get('double', old, objects.FLOAT)}, {f.get('double', f.item(slopes, k))}")
        new = f.let(f"call ptr @PyFloat_FromDouble(double {total})")
        f.put("ptr", new, row, 8 * Leaf.SPARE)
        f.unless(f.test(f"ne ptr {new}, null"), "no")
    with f.rows(Field.LEAF_TABLE, Field.LEAVES, len(Leaf)) as (_, row):
        value, new = f.address(row, Leaf.VALUE), f.address(row, Leaf.SPARE)
        f.put("ptr", f.get("ptr", value, grad), row, 8 * Leaf.SPARE)
        f.put("ptr", new, value, grad)
    f.do("call void @discard(ptr %record)")
    return f.answer()


def _discard() -> str:
    """Release the floats that are not in use, or no more."""
    f = _Function("void @discard(ptr %record)")
    with f.rows(Field.LEAF_TABLE, Field.LEAVES, len(Leaf)) as (_, row):
        spare = f.address(row, Leaf.SPARE)
        f.put("ptr", "null", row, 8 * Leaf.SPARE)
        f.do(f"call void @Py_DecRef(ptr {spare})")
    return f.text()


# The run -------------------------------------------------------------------------------------------------------------


def _work() -> str:
    """Compute what all rows share, and go through the rows."""
    f = _Function("void @work(ptr %record)")
    parameters, packed, calls = (f.memory(x) for x in (Field.PARAMETERS, Field.PACKED, Field.CALLS))
    with f.when(f.on(Field.PREPARES)):
        operands = f.memory(Field.OPERANDS)
        f.do(f"call void {f.memory(Field.PREPARE)}(ptr {parameters}, ptr {calls}, ptr {operands})")
    accumulators, item = f.memory(Field.ACCUMULATORS), f.field(Field.ITEM)
    for kind, size in _KINDS:
        with f.when(f.test(f"eq i64 {item}, {size}")), f.rows(Field.PACKED_TABLE, Field.PACKED_COUNT) as (k, row):
            x = f.get(kind, f.item(parameters, f.get("i64", row), size))
            f.put(kind, x, f.item(packed, k, size))
    cells = f.let(f"mul i64 {f.field(Field.ACCUMULATOR_COUNT)}, {f.field(Field.LANES)}")
    length = f.let(f"mul i64 {cells}, {item}")
    f.do(f"call void @llvm.memset.p0.i64(ptr {accumulators}, i8 0, i64 {length}, i1 false)")
    f.put("i64", "0", f.memory(Field.FLAG))
    fields = [Field.SLOTS, Field.PARAMETERS, Field.PACKED, Field.ACCUMULATORS]
    fields += [Field.CALLS, Field.ARRAYS, Field.FLAG, Field.OPERANDS]
    memory = ", ".join([f"ptr {f.memory(x)}" for x in fields])
    f.do(f"call void {f.memory(Field.RUN)}(i64 {f.field(Field.ROWS)}, {memory})")
    return f.text()


def _add_up() -> str:
    """The sums over the rows, and whether what must be finite is; then means, if they are wanted."""
    f = _Function("i1 @add_up(ptr %record)")
    totals, sums, parameters = f.memory(Field.TOTALS), f.memory(Field.SUMS), f.memory(Field.PARAMETERS)
    accumulators, count, lanes = f.memory(Field.ACCUMULATORS), f.field(Field.ACCUMULATOR_COUNT), f.field(Field.LANES)
    rows = f.let(f"uitofp i64 {f.field(Field.ROWS)} to double")
    for kind, size in _KINDS:
        with f.when(f.test(f"eq i64 {f.field(Field.ITEM)}, {size}")), f.each(count) as loop:
            first = f.item(accumulators, f.let(f"mul i64 {loop.index}, {lanes}"), size)
            with f.loop(lanes, ("double", "0.0")) as lane:
                x = f.get(kind, f.item(first, lane.index, size))
                x = x if size == 8 else f.let(f"fpext float {x} to double")
                lane.next = [f.let(f"fadd double {lane.carried[0]}, {x}")]
            f.put("double", lane.next[0], f.item(totals, loop.index))
    after = f.item(totals, count)
    f.put("double", rows, after)
    with f.each(f.field(Field.SUM_COUNT)) as loop:
        f.put("double", "0.0", f.item(sums, loop.index))
    with f.rows(Field.PART_TABLE, Field.PARTS, len(Part)) as (_, row):
        total = f.get("double", f.item(totals, f.word(row, Part.TOTAL)))
        part = f.let(f"fmul double {total}, {f.get('double', row, 8 * Part.SIGN)}")
        f.put("double", part, after, 8)
        scale, place = f.word(row, Part.SCALE), f.item(sums, f.word(row, Part.SUM))
        with f.when(f.test(f"sge i64 {scale}, 0")):
            f.put("double", f.let(f"fmul double {part}, {f.number(parameters, scale)}"), after, 8)
        before, part = f.get("double", place), f.get("double", after, 8)
        f.put("double", f.let(f"fadd double {before}, {part}"), place)
    with f.when(f.on(Field.FINITE)):
        f.unless(f.test(f"eq i64 {f.get('i64', f.memory(Field.FLAG))}, 0"), "no")
        with f.rows(Field.GUARDED_TABLE, Field.GUARDED_COUNT) as (_, row):
            f.unless(f.finite(f.number(parameters, f.get("i64", row))), "no")
        with f.each(f.field(Field.SUM_COUNT)) as loop:
            f.unless(f.finite(f.get("double", f.item(sums, loop.index))), "no")
    with f.when(f.on(Field.MEAN)):
        with f.each(f.field(Field.SUM_COUNT)) as loop:
            place = f.item(sums, loop.index)
            f.put("double", f.let(f"fdiv double {f.get('double', place)}, {rows}"), place)
        arrays = f.memory(Field.ARRAYS)
        with f.rows(Field.RESULT_TABLE, Field.BY_ROW, len(Result)) as (_, row):
            numbers = f.get("ptr", f.item(arrays, f.word(row, Result.ARRAY), 16))
            with f.each(f.word(row, Result.SHARE)) as loop:
                x = f.let(f"fdiv double {f.number(numbers, loop.index)}, {rows}")
                f.put_number(numbers, loop.index, x)
    return f.answer()


# What is returned ----------------------------------------------------------------------------------------------------


def _show() -> str:
    """The objects of results that have none yet: floats, and arrays of sums."""
    f = _Function("i1 @show(ptr %record)")
    found = f.memory(Field.FOUND)
    with f.rows(Field.RESULT_TABLE, Field.RESULTS, len(Result)) as (k, row):
        place, numbers, done = f.item(found, k), f.address(row, Result.NUMBERS), f.label()
        f.unless(f.test(f"eq ptr {f.get('ptr', place)}, null"), done)
        with f.when(f.test(f"ne i64 {f.word(row, Result.IS_FLOAT)}, 0")):
            x = f.number(numbers, "0", f.word(row, Result.ITEM))
            number = f.let(f"call ptr @PyFloat_FromDouble(double {x})")
            f.put("ptr", number, place)
            f.unless(f.test(f"ne ptr {number}, null"), "no")
            f.go(done)
        array = f.let(f"call ptr @new(ptr %record, ptr {row})")
        f.unless(f.test(f"ne ptr {array}, null"), "no")
        f.put("ptr", array, place)
        to, size = f.get("ptr", array, objects.DATA), f.word(row, Result.BYTES)
        f.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {numbers}, i64 {size}, i1 false)")
        f.begin(done)
    return f.answer()


def _build() -> str:
    """What is returned: the results' objects, in tuples. It takes over the references to them."""
    f = _Function("ptr @build(ptr %record)")
    found, stack = f.memory(Field.FOUND), f.memory(Field.STACK)
    top = f.let("alloca ptr")
    f.put("ptr", stack, top)
    with f.rows(Field.STEP_TABLE, Field.STEPS) as (_, row):
        step, here, done = f.get("i64", row), f.get("ptr", top), f.label()
        f.put("ptr", f.at(here, 8), top)
        with f.when(f.test(f"sge i64 {step}, 0")):
            f.put("ptr", f.get("ptr", f.item(found, step)), here)
            f.go(done)
        first, count = f.item(here, step), f.let(f"sub i64 0, {step}")
        pair = f.let(f"call ptr @PyTuple_New(i64 {count})")
        f.unless(f.test(f"ne ptr {pair}, null"), "no")
        with f.loop(count) as loop:
            x = f.get("ptr", f.item(first, loop.index))
            f.do(f"call i32 @PyTuple_SetItem(ptr {pair}, i64 {loop.index}, ptr {x})")
        f.put("ptr", pair, first)
        f.put("ptr", f.at(first, 8), top)
        f.begin(done)
    f.finish(f"ret ptr {f.get('ptr', stack)}")
    f.begin("no")
    f.finish("ret ptr null")
    return f.text()


def _entry() -> str:
    """One call: of a tuple of arguments, and None, an array, or a tuple of arrays for the results by row.

    ``%self`` is a tuple whose first item is the record, an array.
    """
    f = _Function("ptr @entry(ptr %self, ptr %passed, i64 %count)", "define")
    f.do(f"%record = load ptr, ptr {f.at(f.get('ptr', '%self', objects.ITEMS), objects.DATA)}")
    f.unless(f.test("eq i64 %count, 2"), "none")
    args, out = f.get("ptr", "%passed"), f.get("ptr", "%passed", 8)
    f.unless(f.exactly(args, Field.TUPLE), "none")
    f.unless(f.test(f"eq i64 {f.get('i64', args, objects.COUNT)}, {f.field(Field.ARGUMENTS)}"), "none")
    busy, found, by_row = f.memory(Field.BUSY), f.memory(Field.FOUND), f.field(Field.BY_ROW)
    f.unless(f.test(f"eq i64 {f.get('i64', busy)}, 0"), "none")
    f.put("i64", "1", busy)
    size = f.let(f"mul i64 {f.field(Field.RESULTS)}, 8")
    f.do(f"call void @llvm.memset.p0.i64(ptr {found}, i8 0, i64 {size}, i1 false)")
    f.unless(f.let(f"call i1 @read(ptr %record, ptr {f.at(args, objects.ITEMS)})"), "undo")
    with f.when(f.test(f"ne ptr {out}, {f.memory(Field.NONE)}")):
        accept = f.label()
        several = f.exactly(out, Field.TUPLE)
        f.unless(several, single := f.label())
        f.unless(f.test(f"eq i64 {f.get('i64', out, objects.COUNT)}, {by_row}"), "undo")
        f.go(accept)
        f.begin(single)
        f.unless(f.test(f"eq i64 {by_row}, 1"), "undo")
        f.begin(accept)
        first, one = f.at(out, objects.ITEMS), f.at("%passed", 8)
        given = f.let(f"select i1 {several}, ptr {first}, ptr {one}")
        f.unless(f.let(f"call i1 @accept(ptr %record, ptr {given})"), "undo")
    for step in ("gather", "place"):
        f.unless(f.let(f"call i1 @{step}(ptr %record)"), "undo")
    alone, done = f.label(), f.label()
    f.unless(f.on(Field.RELEASES), alone)
    state = f.let("call ptr @PyEval_SaveThread()")
    f.do("call void @work(ptr %record)")
    f.do(f"call void @PyEval_RestoreThread(ptr {state})")
    f.go(done)
    f.begin(alone)
    f.do("call void @work(ptr %record)")
    f.begin(done)
    f.unless(f.let("call i1 @add_up(ptr %record)"), "undo")
    f.unless(f.let("call i1 @show(ptr %record)"), "undo")
    with f.when(f.on(Field.BACKWARD)):
        f.unless(f.let("call i1 @scatter(ptr %record)"), "undo")
    result = f.let("call ptr @build(ptr %record)")
    f.put("i64", "0", busy)
    f.finish(f"ret ptr {result}")
    f.begin("undo")
    f.do("call void @PyErr_Clear()")  # memory that was missing is missed again by the other path, which says so
    with f.when(f.on(Field.BACKWARD)):
        f.do("call void @discard(ptr %record)")
    with f.each(f.field(Field.RESULTS)) as loop:
        f.do(f"call void @Py_DecRef(ptr {f.get('ptr', f.item(found, loop.index))})")
    f.put("i64", "0", busy)
    f.begin("none")
    none = f.memory(Field.NONE)
    f.do(f"call void @Py_IncRef(ptr {none})")
    f.finish(f"ret ptr {none}")
    return f.text()


_DECLARED = """
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
declare ptr @PyFloat_FromDouble(double)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare void @PyErr_Clear()
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare ptr @new_array(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr)
"""


def text() -> str:
    """The module; its function is ``entry``."""
    arrays, leaves = (_fits, _read, _accept, _new, _place), (_gather, _have_gradients, _scatter, _discard)
    parts = (_number, _put_number, *arrays, *leaves, _work, _add_up, _show, _build, _entry)
    return "\n\n".join((_DECLARED.strip(), *(part() for part in parts), ""))
