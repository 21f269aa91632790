// A small editor for Python: colors, indentation, brackets, undo, and a Tab key that can be left.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  LanguageSupport,
  bracketMatching,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { pythonLanguage } from "@codemirror/lang-python";
import { EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  EditorView,
  WidgetType,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

const setMark = StateEffect.define();

class Note extends WidgetType {
  constructor(text) {
    super();
    this.text = text;
  }

  eq(other) {
    return other.text === this.text;
  }

  toDOM() {
    const note = document.createElement("div");
    note.className = "uo-line-note";
    note.textContent = this.text;
    return note;
  }
}

// The line where something went wrong, until the text changes there.
const markedLine = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes);
    if (transaction.docChanged) next = Decoration.none;
    for (const effect of transaction.effects) if (effect.is(setMark)) next = marksOf(transaction.state.doc, effect.value);
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function marksOf(doc, mark) {
  if (!mark || mark.line < 1 || mark.line > doc.lines) return Decoration.none;
  const line = doc.line(mark.line);
  const marks = [Decoration.line({ class: "uo-line-wrong" }).range(line.from)];
  if (mark.note) marks.push(Decoration.widget({ widget: new Note(mark.note), block: true, side: 1 }).range(line.to));
  return Decoration.set(marks);
}

// keys: { "Mod-Enter": () => ... }; described: the id of an element that says how the keyboard is left.
export function makeEditor({ text, label, described, keys = {}, onChange = () => {} }) {
  const bindings = Object.entries(keys).map(([key, run]) => ({ key, run: () => (run(), true), preventDefault: true }));
  const view = new EditorView({
    doc: text,
    extensions: [
      lineNumbers(),
      highlightActiveLineGutter(),
      history(),
      new LanguageSupport(pythonLanguage),
      syntaxHighlighting(classHighlighter),
      indentUnit.of("    "),
      indentOnInput(),
      bracketMatching(),
      markedLine,
      EditorState.tabSize.of(4),
      Prec.high(keymap.of(bindings)),
      keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
      EditorView.contentAttributes.of({
        "aria-label": label,
        tabindex: "0",
        ...(described ? { "aria-describedby": described } : {}),
        autocapitalize: "off",
        spellcheck: "false",
      }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) onChange(update.state.doc.toString());
      }),
    ],
  });
  return {
    dom: view.dom,
    view,
    get text() {
      return view.state.doc.toString();
    },
    // As an edit that can be undone.
    replace(text) {
      const { doc } = view.state;
      if (doc.toString() !== text) view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
    },
    mark(line, note = "") {
      view.dispatch({ effects: setMark.of(line ? { line, note } : null) });
      if (!line || line > view.state.doc.lines) return;
      view.dispatch({ effects: EditorView.scrollIntoView(view.state.doc.line(line).from, { y: "nearest" }) });
    },
    focus(offset) {
      view.focus();
      if (offset !== undefined) {
        view.dispatch({ selection: { anchor: Math.min(offset, view.state.doc.length) } });
      }
    },
  };
}
