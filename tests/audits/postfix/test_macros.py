"""$name expansion, compared with postconf -x of the installed Postfix."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits.postfix.macros import MAX_EXPANSION, MacroError, Token, expand, tokens

from .oracle import expanded, expanded_each

PARAMETERS = {
    "compatibility_level": "3.6",
    "relayhost": "",
    "mail_name": "X",
    "smtp_helo_name": "$mail_name$mail_name",
    "lmtp_lhlo_name": "${relayhost}",
    "syslog_name": "10",
}
MAIN_CF = "".join(f"{name} = {value}\n" for name, value in PARAMETERS.items())

GOOD = {
    "plain": "plain",
    "$mail_name.": "X.",
    "${mail_name}": "X",
    "$(mail_name)": "X",
    "${ mail_name }": "X",
    "$smtp_helo_name": "XX",
    "$no_such_name.": ".",
    "$$mail_name": "$mail_name",
    "$$$mail_name": "$X",
    "${mail_name?yes}": "yes",
    "${relayhost?yes}.": ".",
    "${relayhost:no}": "no",
    "${mail_name:no}.": ".",
    "${mail_name?{yes}}": "yes",
    "${mail_name?{yes}:{no}}": "yes",
    "${relayhost?{yes}:{no}}": "no",
    "${relayhost?{yes}:no}": "no",
    "${mail_name ? {yes} : {no}}": "yes",
    "${mail_name??foo:{b}ar}": "?foo:{b}ar",
    "${relayhost::foo}": ":foo",
    "${mail_name?${relayhost:inner}}": "inner",
    "${lmtp_lhlo_name?raw value counts}": "raw value counts",
    "$(mail_name?(x))": "(x)",
    "${?x}.": ".",
    "${:x}": "x",
    "${{a} == {a}}": "true",
    "${{a} != {a}}.": ".",
    "${{a}=={a}?{y}:{n}}": "y",
    "${{ a}=={a}?{y}:{n}}": "n",
    "${{$mail_name} == {X} ? {y} : {n}}": "y",
    "${{a} < {b} ? {y} : {n}}": "y",
    "${{b} <= {a} ? {y} : {n}}": "n",
    "${{10} > {9} ? {y} : {n}}": "y",
    "${{10} > {9a} ? {y} : {n}}": "n",
    "${{$syslog_name} >= {10} ? {y} : {n}}": "y",
    "${{a}=={a}:{x}}e": "e",
    "${{$compatibility_level} <level {3.10} ? {y} : {n}}": "y",
    "${{3.10} <level {3.9} ? {y} : {n}}": "n",
    "${{2} ==level {2.0.0} ? {y} : {n}}": "y",
    "${{9} >level { +3.6} ? {y} : {n}}": "y",
    "${{2.9}<level{2.10}?lo:hi}": "lo:hi",
    "${{a} == {b}\t? {x}\r: {y}}": "y",
    "${mail_name?{}:{}}.": ".",
}
BAD = [
    "$",
    "a$ b",
    "${}",
    "$()",
    "${mail_name",
    "$(mail_name",
    "${mail name}",
    "${mail_name?{a}b}",
    "${mail_name:{a}b}",
    "${mail_name?{a}:{b}c}",
    "${mail_name?{a}",
    "${{a} = {b}}",
    "${{a} == b}",
    "${{a} == {b} c}",
    "${{a} ==size {b}}",
    "${{} <level {3}}",
    "${{3.6.} <level {3}}",
    "${{3 } <level {3}}",
    "${{-3} <level {3}}",
    "${{1.2000} <level {3}}",
    "${{99999999999999999999} == {1}}",
    "${{a} == {$}}",
    "$smtp_tls_CAfile",
]


def ours(text: str) -> str | None:
    """Our expansion, or None where we refuse."""
    parameters = {**PARAMETERS, "smtp_tls_CAfile": text}
    try:
        return expand(text, parameters.get)
    except MacroError:
        return None


def theirs(folder: Path, texts: Sequence[str]) -> list[str | None]:
    """What postconf makes of each text, or None where it refuses."""
    return expanded_each(folder, [MAIN_CF + f"smtp_tls_CAfile = {text}\n" for text in texts], "smtp_tls_CAfile")


def printed(value: str | None) -> str | None:
    """A value as postconf prints it: runs of blanks shrink, which is the printer's doing, not the expansion's."""
    return None if value is None else " ".join(value.split())


@pytest.mark.parametrize(("text", "result"), GOOD.items())
def test_the_language_of_postconf_5(text: str, result: str) -> None:
    assert ours(text) == result


def test_postconf_agrees_on_all_of_them(tmp_path: Path) -> None:
    assert dict(zip(GOOD, theirs(tmp_path, list(GOOD)), strict=True)) == GOOD


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_expression_is_refused(text: str) -> None:
    assert ours(text) is None


def test_postconf_refuses_all_of_them(tmp_path: Path) -> None:
    assert dict(zip(BAD, theirs(tmp_path, BAD), strict=True)) == dict.fromkeys(BAD)


WORDS = st.sampled_from(["", "a", "b", "10", "9", "3.6", "$mail_name", "${relayhost}", "$smtp_helo_name", "x y", "$$"])
TEXTS = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(st.sampled_from(["mail_name", "relayhost", "lmtp_lhlo_name", "unknown"]), inner, inner).map(
            lambda parts: f"${{{parts[0]}?{{{parts[1]}}}:{{{parts[2]}}}}}"
        ),
        st.tuples(inner, st.sampled_from(["==", "!=", "<", "<=", ">=", ">"]), inner, inner, inner).map(
            lambda parts: f"${{{{{parts[0]}}} {parts[1]} {{{parts[2]}}} ? {{{parts[3]}}} : {{{parts[4]}}}}}"
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_any_nesting_expands_as_postconf_expands_it(tmp_path: Path, text: str) -> None:
    assert expanded(tmp_path, MAIN_CF + f"smtp_tls_CAfile = x{text}x\n", "smtp_tls_CAfile") == (
        printed(ours(f"x{text}x")),
    )


def test_a_soup_of_characters_expands_or_fails_as_with_postconf(tmp_path: Path) -> None:
    pieces = ["$", "${", "$(", "{", "}", ")", "(", "?", ":", "==", "<", "<level", " ", "mail_name", "relayhost", "3.6"]
    random = Random(229)
    texts = ["".join(random.choices(pieces, k=random.randint(2, 12))) for _ in range(240)]
    texts = [f"x{text}x" for text in texts if "\n" not in text]
    assert dict(zip(texts, theirs(tmp_path, texts), strict=True)) == {text: printed(ours(text)) for text in texts}


def test_a_loop_is_named() -> None:
    values = {"a": "${b?$b}", "b": "x$c", "c": "$(a)"}
    with pytest.raises(MacroError, match=r"loop of names: \$a -> \$b -> \$c -> \$a"):
        expand("$a", values.get)


def test_a_loop_inside_of_a_comparison_is_found_too() -> None:
    with pytest.raises(MacroError, match="loop of names"):
        expand("$a", {"a": "${{$a} == {x} ? {y}}"}.get)


def test_a_test_of_a_name_within_its_own_value_is_no_loop() -> None:
    assert expand("$a", {"a": "${a?fine}"}.get) == "fine"


@pytest.mark.parametrize(("depth", "refused"), [(99, False), (100, False), (101, True), (120, True)])
def test_the_depth_ends_where_postfix_ends_it(depth: int, refused: bool, tmp_path: Path) -> None:
    names = [f"user_{number}" for number in range(depth)]
    lines = {name: f"${following}" for name, following in pairwise(names)} | {names[-1]: "end"}
    main_cf = "".join(f"{name} = {value}\n" for name, value in lines.items()) + f"relayhost = ${names[0]}\n"
    result = expanded(tmp_path, main_cf, "relayhost")
    assert (result is None) == refused
    if refused:
        with pytest.raises(MacroError, match="nested"):
            expand(f"${names[0]}", lines.get)
    else:
        assert expand(f"${names[0]}", lines.get) == "end"


def test_names_that_double_each_other_stop_at_a_limit() -> None:
    values = {f"n{i}": f"$n{i + 1}$n{i + 1}" for i in range(40)} | {"n40": "x" * 1000}
    with pytest.raises(MacroError, match=f"grows beyond {MAX_EXPANSION}"):
        expand("$n0", values.get)


def test_empty_names_that_double_each_other_stop_too() -> None:
    values = {f"n{i}": f"$n{i + 1}$n{i + 1}" for i in range(60)} | {"n60": ""}
    with pytest.raises(MacroError, match="grows beyond"):
        expand("$n0", values.get)


def test_tokens_keep_literals_whole() -> None:
    assert list(tokens("a$$b$1c${2}")) == [
        Token("a$b", is_macro=False),
        Token("1c", is_macro=True),
        Token("2", is_macro=True),
    ]
