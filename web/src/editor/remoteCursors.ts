/**
 * Cursors and selections of the others in this file, in y-codemirror.next's awareness format.
 *
 * Its own plugin writes `style` attributes into HTML, which the page's Content-Security-Policy forbids,
 * and hides names until one points at a cursor; this one sets CSS variables and shows names while they move.
 */
import { Annotation, RangeSet, type Range } from "@codemirror/state";
import { Decoration, ViewPlugin, WidgetType, type DecorationSet, type EditorView, type ViewUpdate } from "@codemirror/view";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { readParticipant } from "../people/participants";

const moved = Annotation.define<true>();

class Caret extends WidgetType {
  constructor(
    readonly name: string,
    readonly color: string,
    readonly place: string,
    readonly below: boolean,
  ) {
    super();
  }

  override eq(other: Caret): boolean {
    return (
      other.name === this.name && other.color === this.color && other.place === this.place && other.below === this.below
    );
  }

  override toDOM(): HTMLElement {
    const caret = document.createElement("span");
    caret.className = "cm-remote-caret";
    caret.style.setProperty("--who", this.color);
    caret.ariaHidden = "true";
    const name = document.createElement("span");
    name.className = this.below ? "cm-remote-name cm-remote-below" : "cm-remote-name";
    // Drawn by CSS: as text it would be part of what is read from the page as the file's text.
    name.dataset["name"] = this.name;
    caret.append(name);
    return caret;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

interface Cursor {
  anchor: unknown;
  head: unknown;
}

function cursorOf(state: unknown): Cursor | null {
  const cursor = (state as { cursor?: Cursor | null } | null)?.cursor;
  return cursor && cursor.anchor && cursor.head ? cursor : null;
}

export function remoteCursors(text: Y.Text, awareness: Awareness) {
  const doc = text.doc;

  const place = (json: unknown, length: number): number | null => {
    if (!doc) return null;
    try {
      const position = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(json), doc);
      return position && position.type === text ? Math.min(position.index, length) : null;
    } catch {
      // Presence is whatever a client chose to send; a cursor that is no position is not shown.
      return null;
    }
  };

  class RemoteCursors {
    decorations: DecorationSet = RangeSet.empty;
    #frame = 0;
    readonly #changed = (changes: Record<"added" | "updated" | "removed", number[]>): void => {
      const clients = [...changes.added, ...changes.updated, ...changes.removed];
      if (this.#frame !== 0 || !clients.some((client) => client !== awareness.clientID)) return;
      // However many cursors move, they are drawn once in each frame of the screen.
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.view.dispatch({ annotations: moved.of(true) });
      });
    };

    constructor(readonly view: EditorView) {
      awareness.on("change", this.#changed);
      this.decorations = this.#draw(view);
    }

    update(update: ViewUpdate): void {
      if (update.selectionSet || update.docChanged || update.focusChanged) this.#publish(update);
      if (update.docChanged || update.transactions.some((one) => one.annotation(moved))) {
        this.decorations = this.#draw(update.view);
      }
    }

    destroy(): void {
      awareness.off("change", this.#changed);
      cancelAnimationFrame(this.#frame);
      if (cursorOf(awareness.getLocalState())) awareness.setLocalStateField("cursor", null);
    }

    /** Says where this person's cursor is; without focus it stays where it was, so that others can follow. */
    #publish(update: ViewUpdate): void {
      if (awareness.getLocalState() === null || !update.view.hasFocus) return;
      const { anchor, head } = update.state.selection.main;
      const before = cursorOf(awareness.getLocalState());
      const length = update.state.doc.length;
      if (before && place(before.anchor, length) === anchor && place(before.head, length) === head) return;
      awareness.setLocalStateField("cursor", {
        anchor: Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, anchor)),
        head: Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, head)),
      });
    }

    #draw(view: EditorView): DecorationSet {
      const { doc: content } = view.state;
      const ranges: Range<Decoration>[] = [];
      for (const [client, state] of awareness.getStates()) {
        if (client === awareness.clientID) continue;
        const person = readParticipant(client, state, false);
        const cursor = cursorOf(state);
        if (!person || !cursor) continue;
        const anchor = place(cursor.anchor, content.length);
        const head = place(cursor.head, content.length);
        if (anchor === null || head === null) continue;
        const [from, to] = anchor < head ? [anchor, head] : [head, anchor];
        if (from < to) {
          const attributes = { style: `--who: ${person.color}` };
          ranges.push(Decoration.mark({ class: "cm-remote-selection", attributes }).range(from, to));
        }
        const below = content.lineAt(head).number === 1;
        const widget = new Caret(person.name, person.color, `${head}`, below);
        ranges.push(Decoration.widget({ widget, side: head >= anchor ? -1 : 1 }).range(head));
      }
      return Decoration.set(ranges, true);
    }
  }

  return ViewPlugin.fromClass(RemoteCursors, { decorations: (plugin) => plugin.decorations });
}
