/**
 * Files whose lines end with CRLF. CodeMirror splits lines at the LF only, because its offsets must be those of the
 * shared text; so the CR stands at the end of each line. It is hidden, the cursor never stops between the two,
 * a new line in such a file gets both, and deleting one deletes both.
 *
 * Atomic ranges would be the way, but a click behind the end of a line would then land on the next one.
 */
import { EditorSelection, EditorState, Prec, RangeSetBuilder, type Extension, type Text } from "@codemirror/state";
import { Decoration, keymap, ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from "@codemirror/view";
import { ySyncAnnotation } from "y-codemirror.next";

const hidden = Decoration.replace({});

class CarriageReturns {
  decorations: DecorationSet = Decoration.none;

  constructor(view: EditorView) {
    this.#draw(view);
  }

  update(update: ViewUpdate): void {
    if (update.docChanged || update.viewportChanged) this.#draw(update.view);
  }

  #draw(view: EditorView): void {
    const drawn = new RangeSetBuilder<Decoration>();
    const { doc } = view.state;
    for (const { from, to } of view.visibleRanges) {
      for (let position = from; position <= to; ) {
        const line = doc.lineAt(position);
        if (line.text.endsWith("\r") && line.to - 1 >= from) drawn.add(line.to - 1, line.to, hidden);
        position = line.to + 1;
      }
    }
    this.decorations = drawn.finish();
  }
}

const drawing = ViewPlugin.fromClass(CarriageReturns, {
  decorations: (plugin) => plugin.decorations,
});

/** A file is of the CRLF kind if its first line is. */
function usesBoth(doc: Text): boolean {
  return doc.lines > 1 && doc.line(1).text.endsWith("\r");
}

const newLines = EditorState.transactionFilter.of((transaction) => {
  const before = transaction.startState.doc;
  if (!transaction.docChanged || transaction.annotation(ySyncAnnotation) || !usesBoth(before)) return transaction;
  const after = transaction.newDoc;
  const char = (doc: Text, position: number): string => doc.sliceString(Math.max(0, position), position + 1);
  const changes: { from: number; to?: number; insert?: string }[] = [];
  transaction.changes.iterChanges((fromA, toA, fromB, toB, inserted) => {
    const onlyDeleted = inserted.length === 0;
    const tookReturn = toA > fromA && char(before, toA - 1) === "\r" && char(before, toA) === "\n";
    if (onlyDeleted && tookReturn && toA - fromA === 1) {
      changes.push({ from: fromB, to: fromB + 1 });
      return;
    }
    if (onlyDeleted && char(before, fromA) === "\n" && char(after, fromB - 1) === "\r") {
      changes.push({ from: fromB - 1, to: fromB });
      return;
    }
    const end = tookReturn ? toB + 1 : toB;
    for (let line = after.lineAt(fromB); line.to < end; line = after.lineAt(line.to + 1)) {
      if (!line.text.endsWith("\r") && line.to < after.length) changes.push({ from: line.to, insert: "\r" });
      if (line.to >= after.length) break;
    }
  });
  return changes.length > 0 ? [transaction, { changes, sequential: true }] : transaction;
});

const selections = EditorState.transactionFilter.of((transaction) => {
  if (!transaction.selection) return transaction;
  const { newDoc } = transaction;
  let moved = false;
  const before = (position: number): number => {
    const line = newDoc.lineAt(position);
    if (position !== line.to || line.to === newDoc.length || !line.text.endsWith("\r")) return position;
    moved = true;
    return position - 1;
  };
  const ranges = transaction.newSelection.ranges.map((range) => {
    const [anchor, head] = [before(range.anchor), before(range.head)];
    return anchor === head ? EditorSelection.cursor(head, range.assoc) : EditorSelection.range(anchor, head);
  });
  if (!moved) return transaction;
  const selection = EditorSelection.create(ranges, transaction.newSelection.mainIndex);
  return [transaction, { selection, sequential: true }];
});

/** From before a CRLF forward means behind it: the filter would hold a cursor that moves by one. */
function over(extend: boolean) {
  return (view: EditorView): boolean => {
    const { main } = view.state.selection;
    if (view.state.selection.ranges.length > 1 || (!extend && !main.empty)) return false;
    if (view.state.sliceDoc(main.head, main.head + 2) !== "\r\n") return false;
    const head = main.head + 2;
    view.dispatch({ selection: { anchor: extend ? main.anchor : head, head }, scrollIntoView: true, userEvent: "select" });
    return true;
  };
}

const forward = Prec.high(
  keymap.of([
    { key: "ArrowRight", run: over(false), shift: over(true) },
    { key: "Mod-ArrowRight", mac: "Alt-ArrowRight", run: over(false), shift: over(true) },
    { mac: "Ctrl-f", run: over(false), shift: over(true) },
  ]),
);

export function carriageReturns(): Extension {
  // Filters run last to first: new lines are completed before the selection is looked at.
  return [drawing, forward, selections, newLines];
}
