import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.sandbox.embedded.jsontext import read_json, read_object, write_json
from fhir_adapter.sandbox.embedded.outcome import RequestRefusedError

any_text = st.text(st.characters(exclude_categories=()))
decimals = st.decimals(allow_nan=False, allow_infinity=False)


def json_values(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | any_text | leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
        max_leaves=20,
    )


@given(json_values(st.floats(allow_nan=False, allow_infinity=False)))
def test_what_is_written_is_read_again(value: object) -> None:
    text = write_json(value)
    assert text.isascii()
    assert read_json(text) == value


@given(json_values(decimals))
def test_decimals_anywhere_are_written_as_they_were_read(value: object) -> None:
    text = write_json(value)
    assert write_json(read_json(text)) == text
    assert write_json(read_json(write_json(value, indent=2))) == text


@pytest.mark.parametrize("literal", ["1.10", "0.000000000000000000000000000001", "1E+400", "3.0", "-0.0"])
def test_decimals_keep_their_digits(literal: str) -> None:
    assert write_json(read_json(f'{{"value":[{literal}]}}')) == f'{{"value":[{literal}]}}'


def test_emoji_nul_and_lone_surrogates_survive() -> None:
    text = '{"a":"\\ud83d\\ude00 \\u0000 \\ud800"}'
    assert write_json(read_json(text)) == text


def test_sorted_keys_with_and_without_decimals() -> None:
    assert write_json(read_json('{"b":1,"a":2}'), sort_keys=True) == '{"a":2,"b":1}'
    assert write_json(read_json('{"b":1.10,"a":2}'), sort_keys=True) == '{"a":2,"b":1.10}'


def test_indented_text_with_decimals_is_as_the_standard_library_indents() -> None:
    text = '{"a":[1.50,{"b":[]}],"c":{}}'
    expected = json.dumps(json.loads(text), indent=2).replace("1.5", "1.50")
    assert write_json(read_json(text), indent=2) == expected


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"nonsense", b'{"a": NaN}', b'{"a": Infinity}', b'"\xff"', b"[" * 100_000, b'{"a": "\n"}'],
)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        read_json(data)
    assert caught.value.status == 400


def test_refusals_do_not_repeat_the_text() -> None:
    with pytest.raises(RequestRefusedError) as caught:
        read_json(b'{"name": "Zaphod" "x"}')
    assert "Zaphod" not in str(caught.value)


def test_a_list_is_no_resource() -> None:
    with pytest.raises(RequestRefusedError):
        read_object(b"[]")
