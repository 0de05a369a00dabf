from __future__ import annotations

import pytest

from collab.syntax.symbols import digest
from collab.syntax.syntax import Syntax

SOURCES = {
    "a.py": (
        "X = 1\n\n@dec\ndef f(a): ...\n\nclass A:\n    y = 2\n    def m(self):\n        def inner(): ...\n",
        "variable X|function f|class A|variable A.y|method A.m|function A.m.inner",
    ),
    "a.js": (
        "export class A { m() { return 1 } }\nfunction f() {}\nconst g = (x) => x\n",
        "class A|method A.m|function f|variable g",
    ),
    "a.ts": (
        "interface I { a: string; m(): void }\nenum E { A }\ntype T = string\nabstract class B { x = 1 }\n",
        "interface I|variable I.a|method I.m|enum E|type T|class B|variable B.x",
    ),
    "a.tsx": ("export function App() { return <div/> }\n", "function App"),
    "a.go": (
        "package p\n\nfunc F() {}\n\nfunc (r *T) M() {}\n\ntype T struct{ A int }\n\nconst X = 1\n",
        "function F|method T.M|type T|variable X",
    ),
    "a.rs": (
        "struct S { a: i32 }\nimpl S {\n    fn m(&self) {}\n}\ntrait T { fn t(); }\nmod m { fn f() {} }\n",
        "class S|method S.m|interface T|method T.t|module m|function m.f",
    ),
    "a.java": (
        "class A {\n  int x;\n  A() {}\n  void m() {}\n  enum E { P }\n}\n",
        "class A|variable A.x|method A.A|method A.m|enum A.E",
    ),
    "a.c": (
        "#define N 1\nint f(int a) { return a; }\nstatic char *g(void) { return 0; }\nstruct S { int a; };\n",
        "macro N|function f|function g|class S",
    ),
    "a.cpp": (
        "namespace n { class A { void m() {} }; }\nvoid n::A::k() {}\n",
        "module n|class n.A|method n.A.m|function n::A::k",
    ),
    "a.css": (".a { color: red }\n@media p { .b:hover { a: b } }\n", "rule .a|rule .b:hover"),
    "a.json": ('{"a": {"b": 1}}', 'key "a"|key "a"."b"'),
    "a.toml": ("a = 1\n[t.u]\nb = 2\n", "key a|section t.u|key t.u.b"),
    "a.yaml": ("a:\n  b: 1\n", "key a|key a.b"),
    "a.md": ("# One\n\ntext\n\n## Two\n", "section One|section One.Two"),
    "a.html": ("<p>a</p>", ""),
    "a.txt": ("def f(): pass", ""),
}


@pytest.mark.parametrize("path", SOURCES)
def test_definitions_are_found_with_what_they_are_inside_of(path: str) -> None:
    text, expected = SOURCES[path]
    found = "|".join(f"{one.kind} {one.qualified}" for one in Syntax().symbols(path, text))
    assert found == expected


@pytest.mark.parametrize("path", SOURCES)
def test_a_name_stands_where_its_symbol_says(path: str) -> None:
    text = "".join(("", *SOURCES[path][0]))
    for one in Syntax().symbols(path, text):
        assert " ".join(text[one.name_start : one.name_end].split()) == one.name
        assert one.start <= one.name_start < one.name_end <= one.end


def test_offsets_are_code_points() -> None:
    text = "x = '😀é'\n\n\ndef f():\n    return '😀'\n"
    [_, function] = Syntax().symbols("a.py", text)
    assert text[function.start : function.end] == "def f():\n    return '😀'"


def test_a_digest_ignores_its_own_name_and_white_space() -> None:
    texts = (
        "def f(n):\n    return f(n - 1)\n",
        "def g(n):\n  return   g(n - 1)\n",
        "def g(n):\n    return g(n - 2)\n",
    )
    one, other, third = (digest(text, Syntax().symbols("a.py", text)[0]) for text in texts)
    assert one == other != third


def test_names_that_a_fragment_uses_are_found_without_those_it_defines_and_without_labels() -> None:
    fragment = "        def helper(a):\n            return call(a, key=value).attribute\n"
    names = Syntax().names_used("a.py", fragment)
    assert {"call", "value", "attribute"} <= names
    assert not {"helper", "key"} & names


def test_names_used_in_an_unknown_language_are_none() -> None:
    assert Syntax().names_used("a.txt", "call(a)") == frozenset()
