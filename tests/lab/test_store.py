"""What the browser keeps of a reader's work: nothing is lost, and where it cannot be kept, that is said."""

from __future__ import annotations

import pytest

UNION = "courseStore.define('quest', { merge: (a, b) => [...new Set([...a, ...b])].sort(), valid: Array.isArray })"
BLOCKED = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"


@pytest.fixture
def store(tab):
    def store(before: str = ""):
        page = tab("store.js", before=before)
        page.evaluate(UNION)
        return page

    return store


def test_what_is_kept_is_there_in_the_next_page(store):
    store().evaluate("courseStore.set('quest', 'banana', ['largest'])")
    assert store().evaluate("courseStore.get('quest', 'banana')") == ["largest"]


def test_two_tabs_add_to_each_other(store):
    """Each writes what it has seen done; neither knows of the other's."""
    one, two = store(), store()
    add = "name => courseStore.set('quest', 'banana', (old = []) => [...old, name])"
    seen = "count => courseStore.get('quest', 'banana')?.length === count"
    one.evaluate(add, "first")
    two.wait_for_function(seen, arg=1)  # what one tab writes reaches the other's process a moment later
    two.evaluate(add, "second")
    one.wait_for_function(seen, arg=2)
    one.evaluate(add, "third")
    two.wait_for_function(seen, arg=3)
    assert two.evaluate("courseStore.get('quest', 'banana')") == ["first", "second", "third"]


def test_a_tab_is_told_of_what_another_does(store):
    one, two = store(), store()
    one.evaluate("() => void courseStore.watch('quest', (...told) => (window.told = told))")
    two.evaluate("courseStore.set('quest', 'a/path', ['x'])")
    one.wait_for_function("window.told")
    assert one.evaluate("told") == ["a/path", ["x"], True]


def test_export_and_import_merge(store):
    page = store()
    page.evaluate("courseStore.set('quest', 'banana', ['a'])")
    page.evaluate("courseStore.set('place', 'chapter', 8)")
    packed = page.evaluate("courseStore.pack()")
    page.evaluate("courseStore.set('quest', 'banana', ['b'])")
    page.evaluate("courseStore.remove('place', 'chapter')")
    assert page.evaluate("packed => courseStore.unpack(packed)", packed) == 2
    assert page.evaluate("packed => courseStore.unpack(packed)", packed) == 0
    assert page.evaluate("courseStore.all('quest')") == {"banana": ["a", "b"]}
    assert page.evaluate("courseStore.get('place', 'chapter')") == 8


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("{}", "not a file that the course"),
        ("null", "not a file that the course"),
        ("{format: 'understanding-optimizers', schema: 99, kept: {}}", "newer version"),
    ],
)
def test_a_foreign_file_is_refused_with_a_sentence(store, file, sentence):
    refused = f"() => {{ try {{ courseStore.unpack({file}) }} catch (error) {{ return error.message }} }}"
    assert sentence in store().evaluate(refused)


@pytest.mark.parametrize("text", ["garbage {", "null", '{"not": "an array"}', ""])
def test_damaged_items_count_as_nothing_and_are_written_over(store, text):
    page = store()
    page.evaluate("text => localStorage.setItem('understanding-optimizers/quest/banana', text)", text)
    assert page.evaluate("courseStore.get('quest', 'banana')") is None
    assert page.evaluate("courseStore.all('quest')") == {}
    page.evaluate("courseStore.set('quest', 'banana', (old = []) => [...old, 'a'])")
    assert page.evaluate("courseStore.get('quest', 'banana')") == ["a"]


def test_items_live_as_long_as_the_page_where_storage_is_blocked(store):
    page = store(before=BLOCKED)
    page.evaluate("courseStore.whenTrouble((sentence) => (window.said = sentence))")
    assert page.evaluate("courseStore.set('quest', 'banana', ['a'])") is False
    assert page.evaluate("courseStore.get('quest', 'banana')") == ["a"]
    assert page.evaluate("courseStore.all('quest')") == {"banana": ["a"]}
    assert "keeps nothing" in page.evaluate("said")


def test_a_full_storage_is_said_and_loses_nothing_while_the_page_is_open(store):
    page = store()
    page.evaluate("courseStore.set('quest', 'banana', ['a'])")
    page.evaluate(
        """() => { for (let size = 2 ** 22; size > 0; size >>= 1) {
            try { for (let k = 0; ; k++) localStorage.setItem(`fill ${size} ${k}`, "x".repeat(size)); } catch {}
        } }"""
    )
    assert page.evaluate("courseStore.set('quest', 'banana', ['a', 'b'.repeat(99)])") is False
    assert page.evaluate("courseStore.get('quest', 'banana')") == ["a", "b" * 99]
    assert "full" in page.evaluate("courseStore.trouble")
    page.evaluate(
        "Object.keys(localStorage).filter((key) => key.startsWith('fill')).map((key) => localStorage.removeItem(key))"
    )
    assert page.evaluate("courseStore.set('quest', 'banana', ['a', 'b', 'c'])") is True
    assert page.evaluate("courseStore.trouble") == ""
