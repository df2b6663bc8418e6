"""A scalarized program to a Python function of plain floats: a statement for what has a name, and expressions.

    s = select(x, 0, x, 0)     # line 2: return relu(x) + 1
    t = s + 1                  return (0.0 if x < 0.0 else x) + 1.0

Branches become if and else, kinks and weights conditional expressions, orderings calls on short lists. Which values
stand in the expression that uses them is said in `inlining`, what an expression looks like in `instruction_texts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cfcompiler.ir import Apply, Assertion, Instruction, Kink, Program, Select, Value
from cfcompiler.targets.numpy_module import inlining, unpacking
from cfcompiler.targets.numpy_module.inlining import Held
from cfcompiler.targets.numpy_module.instruction_texts import CHOICE, COMPARE, NOT, OR, InstructionTexts, Text
from cfcompiler.targets.numpy_module.names import local_names
from cfcompiler.targets.numpy_module.names_again import with_names_again
from cfcompiler.targets.numpy_module.schedule import Block, Copy, Step, schedule
from cfcompiler.verify import arguments

INDENT = "    "


def function_text(
    program: Program,
    name: str,
    results: Callable[[Sequence[str]], str],
    *,
    choosing: bool = False,
    branching: frozenset[str] = frozenset(),
    describe: str = "",
) -> list[str]:
    """The lines of `def name(params): ...`; `results` makes what is returned from the texts of the results.

    choosing: a tied operation asks the object `choose` which of its pieces to follow, and so does each of the
    comparisons named in `branching`.
    """
    return _Writer(program, choosing, branching).function(name, results, describe)


class _Writer:
    def __init__(self, program: Program, choosing: bool, branching: frozenset[str]) -> None:
        self.program = program
        self.choosing = choosing
        self.branching = branching
        self.source_lines = program.source.text.split("\n")
        self.instructions = {instruction.out.name: instruction for instruction in program.instructions}
        values = [param.value.name for param in program.params] + list(self.instructions)
        self.names = local_names(values)
        self.steps = schedule(program)
        self.uses, once = inlining.uses_of(self.steps, program.results)
        self.joined: set[str] = set()  # values that have the name of what they become
        self.rows = InstructionTexts(program, self.names, choosing=choosing, branching=branching)
        self._join_names()
        self.own = inlining.users_values(program)
        self.entries = unpacking.entries(program)
        fixed = self.joined | self.own | self.entries.keys()
        self.once = {name: user for name, user in once.items() if name not in fixed}
        params = {param.value.name for param in program.params}
        inlining.name_sums(program, self.names, self.once, self.joined, params | self.own)
        self.held: dict[str, Held] = {}  # by the names of values that wait for the one that uses them
        self.lines: list[str] = []
        self.line_shown = 0

    def _join_names(self) -> None:
        """A value that is only selected has the name of what it becomes: no copy, and elif for else if."""
        for instruction in reversed(self.program.instructions):
            if not isinstance(instruction, Select) or not instruction.lazy:
                continue
            for arm, truth in ((instruction.then, True), (instruction.orelse, False)):
                inner = self.instructions.get(arm.name)
                own = (instruction.guard.name, truth) in arm.branch or (
                    isinstance(inner, Select) and inner.lazy
                )
                if inner is None or self.uses[arm.name] != 1 or not own:
                    continue
                if not isinstance(inner, Apply) or not (
                    self.rows.is_literal(inner) or self._stands_where_used(inner)
                ):
                    self.names[arm.name] = self.names[instruction.out.name]
                    self.joined.add(arm.name)

    # the function

    def function(self, name: str, results: Callable[[Sequence[str]], str], describe: str) -> list[str]:
        params = [self.names[param.value.name] for param in self.program.params]
        if self.choosing:
            params.append("choose")
        self.lines = [f"def {name}({', '.join(params)}):"]
        if describe:
            self.lines.append(f'{INDENT}"""{describe}"""')
        head = len(self.lines)
        self._steps(self.steps, 1)
        self._return(results)
        if not self.choosing:
            made = {self.names[name] for name in self.instructions if name not in self.own | self.joined}
            self.lines[head:] = with_names_again(self.lines[head:], made - self._kept(), INDENT)
        unpacked = unpacking.unpacked(self.entries, self.names, self.program.params, self.lines[head:])
        self.lines[head:head] = [INDENT + line for line in unpacked]
        return self.lines

    def _kept(self) -> set[str]:
        """The names of what is not the compiler's alone."""
        given = {param.value.name for param in self.program.params}
        return {self.names[name] for name in given | self.own | self.joined}

    def _return(self, results: Callable[[Sequence[str]], str]) -> None:
        values = self.program.results
        held = [self.held[value.name] for value in values if value.name in self.held]
        texts = [self._result(value, self._peeked(value)) for value in values]
        if len(f"{INDENT}return {results(texts)}") > inlining.WIDTH:
            self._write(held, 1)
        elif held:
            self._say(held[0].instruction, 1)
        self._put(1, f"return {results([self._result(value, self._taken(value)) for value in values])}")
        assert not self.held

    @staticmethod
    def _result(value: Value, text: Text) -> str:
        if not value.shape:
            return text.text
        shape = "" if len(value.shape) == 1 else f".reshape({', '.join(map(str, value.shape))})"
        return f"array({text.text}){shape}"

    def _steps(self, steps: Sequence[Step], depth: int) -> None:
        for step in steps:
            match step:
                case Block():
                    self._block(step, depth)
                case Copy():
                    if self._is_silent(step):
                        continue
                    self._put(depth, f"{self.names[step.out.name]} = {self._taken(step.value).text}")
                case Assertion():
                    message = (
                        f"line {step.span.line}: {step.message}" if step.message else f"line {step.span.line}"
                    )
                    self._put(depth, f"if not {self._taken(step.condition).at(COMPARE)}:")
                    self._put(depth + 1, f"raise ValueError({message!r})")
                case _:
                    self._instruction(step, depth)

    def _put(self, depth: int, line: str) -> None:
        self.lines.append(INDENT * depth + line)

    def _say(self, instruction: Instruction, depth: int) -> None:
        """A comment with the source line, where that has changed."""
        line = self._line(instruction)
        if line == self.line_shown or not 0 < line <= len(self.source_lines):
            return
        self.line_shown = line
        self._put(depth, f"# line {line}: {self.source_lines[line - 1].strip()}".rstrip(": "))

    def _line(self, instruction: Instruction) -> int:
        """The source line that an instruction comes from; of a sum of cotangents the line of the last one."""
        while (
            isinstance(instruction, Apply)
            and instruction.op == "add"
            and instruction.out.name.startswith("c_")
        ):
            last = self.instructions.get(instruction.args[1].name)
            if last is None:
                break
            instruction = last
        return instruction.span.line

    def _block(self, block: Block, depth: int) -> None:
        if self._is_choice(block):
            if len(block.then) > 1 and block.guard.name in self.held:
                self._write([self.held[block.guard.name]], depth)
            guard = self._taken(block.guard).at(OR)
            for then, orelse in zip(block.then, block.orelse, strict=True):
                assert isinstance(then, Copy) and isinstance(orelse, Copy)
                arms = self.rows.of(then.value).at(OR), self.rows.of(orelse.value).at(CHOICE)
                chosen = arms[0] if arms[0] == arms[1] else f"{arms[0]} if {guard} else {arms[1]}"
                if chosen != self.names[then.out.name]:
                    self._say(then.select, depth)
                    self._put(depth, f"{self.names[then.out.name]} = {chosen}")
            self._widen(block.then)
            return
        condition = self.instructions.get(block.guard.name)
        if condition is not None:
            self._say(condition, depth)
        self._if(block, depth, "if")
        self._widen(block.then)

    def _widen(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if isinstance(step, Copy):
                self.rows.widen(step.select)

    def _if(self, block: Block, depth: int, word: str) -> None:
        guard, then, orelse = self._taken(block.guard), block.then, block.orelse
        if not then:
            guard, then, orelse = Text(f"not {guard.at(COMPARE)}", NOT), orelse, ()
        self._put(depth, f"{word} {guard.text}:")
        self._arm(then, depth + 1)
        if orelse:
            self._else(orelse, depth)

    def _else(self, orelse: tuple[Step, ...], depth: int) -> None:
        inner = self._only_block(orelse)
        if inner is not None:
            place = orelse.index(inner)
            before = len(self.lines)
            self._steps(orelse[:place], depth + 1)  # what stands where it is used, such as conditions
            if len(self.lines) == before:
                self._if(inner, depth, "elif")
                self._widen(inner.then)
                self._steps(orelse[place + 1 :], depth)
                return
            self.lines.insert(before, f"{INDENT * depth}else:")
            self._steps(orelse[place:], depth + 1)
            return
        self._put(depth, "else:")
        self._arm(orelse, depth + 1)

    def _only_block(self, steps: tuple[Step, ...]) -> Block | None:
        """The block that alone has lines of its own, if nothing behind it could have any."""
        spoken = [step for step in steps if not self._is_silent(step)]
        inner = spoken[0] if len(spoken) == 1 else None
        if not isinstance(inner, Block) or self._is_choice(inner):
            return None
        behind = steps[steps.index(inner) + 1 :]
        waiting = (step for step in behind if isinstance(step, Apply | Select | Kink))
        return None if any(step.out.name in self.once for step in waiting) else inner

    def _is_silent(self, step: Step) -> bool:
        """Whether a step has no line of its own."""
        match step:
            case Copy(out=out, value=value):
                return value.name not in self.rows.texts and self.names[out.name] == self.names[value.name]
            case Apply() | Select() | Kink():
                literal = isinstance(step, Apply) and (
                    self.rows.is_literal(step) or self._stands_where_used(step)
                )
                return literal or step.out.name in self.once
            case _:
                return False

    def _is_choice(self, block: Block) -> bool:
        """Whether nothing has to be computed in either arm."""
        return all(isinstance(step, Copy) for step in (*block.then, *block.orelse))

    def _arm(self, steps: Sequence[Step], depth: int) -> None:
        before = len(self.lines)
        self._steps(steps, depth)
        if all(line.lstrip().startswith("#") for line in self.lines[before:]):
            self._put(depth, "pass")

    # instructions

    def _instruction(self, instruction: Instruction, depth: int) -> None:
        name = instruction.out.name
        if name in self.entries:
            self.rows.text(instruction)
            return
        kept, text = self._composed(instruction, depth)
        held = Held(instruction, text, inlining.effect_of(instruction, kept))
        if self._has_no_name(instruction, held):
            self.rows.texts[name] = text
        elif name in self.once and inlining.may_wait(held) and self._has_room(held):
            self.held[name] = held
        else:
            self._write([held], depth)

    def _has_room(self, held: Held) -> bool:
        """Whether the one instruction that uses a value can have it in its text; a list has room for all entries."""
        name = held.instruction.out.name
        user = self.once[name]
        if user is None or (isinstance(user, Apply) and user.op == "stack"):
            return True
        return inlining.may_stand_in(held, user, self.rows.text(user).text, self.names[name])

    def _composed(self, instruction: Instruction, depth: int) -> tuple[list[Held], Text]:
        """The values that stand in the text of an instruction, and the text; the others that wait are written."""
        alone = self.rows.text(instruction)
        waiting = {arg.name: self.held[arg.name] for arg in arguments(instruction) if arg.name in self.held}
        passed = self._is_passed_over(instruction)
        kept = {
            name: held
            for name, held in waiting.items()
            if inlining.may_stand_in(held, instruction, alone.text, self.names[name])
            and (not passed or inlining.may_be_left_out(held))
        }
        room = inlining.WIDTH - len(INDENT * depth + self.names[instruction.out.name] + " = " + alone.text)
        fitting = inlining.fitting(kept, self.names, room)
        while True:
            for name in fitting:
                self.rows.texts[name] = kept[name].text
            text = self.rows.text(instruction)
            if not fitting or inlining.brackets(text.text) <= inlining.DEEPEST:
                break
            deepest = max(inlining.brackets(kept[name].text.text) for name in fitting)
            for name in fitting:
                del self.rows.texts[name]
            fitting = [name for name in fitting if inlining.brackets(kept[name].text.text) < deepest]
        self._write([held for name, held in waiting.items() if name not in fitting], depth)
        for name in fitting:
            del self.held[name]
        return [kept[name] for name in fitting], text

    def _is_passed_over(self, instruction: Instruction) -> bool:
        """Whether an instruction comes to stand in a branch in which it is not computed."""
        single = isinstance(instruction, Apply) and self._stands_where_used(instruction)
        return single and instruction.out.name not in self.once

    def _has_no_name(self, instruction: Instruction, held: Held) -> bool:
        """Constants, other names of a value, and conditions that are used once in another branch."""
        if self._is_passed_over(instruction) or (
            isinstance(instruction, Apply) and self.rows.is_literal(instruction)
        ):
            return True
        name, text = instruction.out.name, held.text
        plain = text.number is not None or text.text.isidentifier()
        return plain and name not in self.joined and name not in self.own

    def _write(self, values: Iterable[Held], depth: int) -> None:
        """A statement for each of the values, which no longer wait."""
        for held in values:
            name = held.instruction.out.name
            self.held.pop(name, None)
            self._say(held.instruction, depth)
            self._put(depth, f"{self.names[name]} = {held.text.text}")

    def _peeked(self, value: Value) -> Text:
        return self.held[value.name].text if value.name in self.held else self.rows.of(value)

    def _taken(self, value: Value) -> Text:
        """The text of a value, where it is used for the only time if it waits."""
        text = self._peeked(value)
        self.held.pop(value.name, None)
        return text

    def _stands_where_used(self, instruction: Apply) -> bool:
        return instruction.out.kind == "bool" and self.uses.get(instruction.out.name, 0) <= 1
