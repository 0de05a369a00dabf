/**
 * A margin that says who wrote each line.
 *
 * What the server answered is moved along with each change; text that came since belongs to nobody until the
 * server is asked again, once the text has been quiet for a second.
 */
import { ChangeSet, RangeSet, RangeValue, StateEffect, StateField, type EditorState, type Extension } from "@codemirror/state";
import { EditorView, gutter, GutterMarker, showTooltip, ViewPlugin, type Tooltip, type ViewUpdate } from "@codemirror/view";
import type { BlameAuthor } from "../messages";
import { lengthOf, type Blamed } from "./asking";
import { longAuthor, shortAuthor } from "./words";

const QUIET_MS = 1_000;
/** Edits that are on their way make an answer fit another text than ours; then it is asked again. */
const MOST_TRIES = 10;

/** Who wrote most of a line, and when that was written last. */
export interface LineAuthor {
  author: BlameAuthor;
  atMs: number;
}

export interface MarginParts {
  /** Asks the server; rejects if it does not know. */
  ask: (signal: AbortSignal) => Promise<Blamed>;
  color: (author: BlameAuthor) => string;
  /** Told who wrote the line of the cursor, whenever that changes. */
  line: (author: LineAuthor | null) => void;
  /** A mark was clicked. */
  chosen: (author: BlameAuthor) => void;
}

class Written extends RangeValue {
  constructor(
    readonly author: BlameAuthor,
    readonly atMs: number,
  ) {
    super();
  }

  override eq(other: Written): boolean {
    return other.author === this.author && other.atMs === this.atMs;
  }
}

const answered = StateEffect.define<RangeSet<Written>>();
const hovered = StateEffect.define<Tooltip | null>();

const ranges = StateField.define<RangeSet<Written>>({
  create: () => RangeSet.empty,
  update: (value, transaction) => {
    for (const effect of transaction.effects) if (effect.is(answered)) return effect.value;
    return transaction.docChanged ? value.map(transaction.changes) : value;
  },
});

const tooltip = StateField.define<Tooltip | null>({
  create: () => null,
  update: (value, transaction) => {
    for (const effect of transaction.effects) if (effect.is(hovered)) return effect.value;
    return transaction.docChanged ? null : value;
  },
  provide: (self) => showTooltip.from(self),
});

/** An answer as ranges, which can be moved along with changes of the text. */
export function rangesOf(blamed: Blamed): RangeSet<Written> {
  return RangeSet.of(
    blamed.ranges.map(({ offset, length, author, at_ms }) => new Written(blamed.authors[author]!, at_ms).range(offset, offset + length)),
  );
}

/** Who wrote most of a part of the text; null if nobody is known to have written any of it. */
export function mainAuthor(set: RangeSet<Written>, start: number, end: number): LineAuthor | null {
  const units = new Map<BlameAuthor, { count: number; atMs: number }>();
  set.between(start, end, (from, to, value) => {
    const count = Math.min(to, end) - Math.max(from, start);
    if (count <= 0) return;
    const known = units.get(value.author) ?? { count: 0, atMs: 0 };
    units.set(value.author, { count: known.count + count, atMs: Math.max(known.atMs, value.atMs) });
  });
  let best: { author: BlameAuthor; count: number; atMs: number } | null = null;
  for (const [author, { count, atMs }] of units) if (!best || count > best.count) best = { author, count, atMs };
  return best && { author: best.author, atMs: best.atMs };
}

/** Who wrote most of the line at a position, its line end included. */
function authorOfLine(state: EditorState, position: number): LineAuthor | null {
  const line = state.doc.lineAt(position);
  return mainAuthor(state.field(ranges, false) ?? RangeSet.empty, line.from, Math.min(line.to + 1, state.doc.length));
}

class Mark extends GutterMarker {
  constructor(
    readonly found: LineAuthor,
    readonly first: boolean,
    readonly color: string,
  ) {
    super();
  }

  override eq(other: Mark): boolean {
    return other.found.author === this.found.author && other.found.atMs === this.found.atMs && other.first === this.first && other.color === this.color;
  }

  override toDOM(): HTMLElement {
    const mark = document.createElement("div");
    mark.className = this.found.author.kind === "person" ? "cm-blame-mark" : "cm-blame-mark cm-blame-made";
    mark.style.setProperty("--who", this.color);
    mark.dataset["testid"] = "blame-mark";
    mark.dataset["author"] = this.found.author.name;
    mark.dataset["kind"] = this.found.author.kind;
    if (this.first) mark.textContent = shortAuthor(this.found.author);
    return mark;
  }
}

class Spacer extends GutterMarker {
  override toDOM(): HTMLElement {
    const space = document.createElement("div");
    space.className = "cm-blame-mark";
    return space;
  }
}

export function blameMargin(parts: MarginParts): Extension {
  class Asker {
    #timer: ReturnType<typeof setTimeout>;
    #abort = new AbortController();
    #since: ChangeSet | null = null;
    #tries = 0;
    #told: LineAuthor | null = null;

    constructor(readonly view: EditorView) {
      this.#timer = setTimeout(() => void this.#ask(), 0);
    }

    update(update: ViewUpdate): void {
      if (update.docChanged) {
        this.#since = this.#since?.compose(update.changes) ?? null;
        this.#tries = 0;
        this.#soon();
      }
      const fresh = update.transactions.some((one) => one.effects.some((effect) => effect.is(answered)));
      if (update.selectionSet || update.docChanged || fresh) this.#tell(update.state);
    }

    destroy(): void {
      clearTimeout(this.#timer);
      this.#abort.abort();
    }

    #soon(): void {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#ask(), QUIET_MS);
    }

    #tell(state: EditorState): void {
      const found = authorOfLine(state, state.selection.main.head);
      if (found?.author === this.#told?.author && found?.atMs === this.#told?.atMs) return;
      this.#told = found;
      // React may not be told while CodeMirror draws.
      queueMicrotask(() => parts.line(found));
    }

    async #ask(): Promise<void> {
      this.#abort.abort();
      const abort = (this.#abort = new AbortController());
      const { length } = this.view.state.doc;
      this.#since = ChangeSet.empty(length);
      let blamed: Blamed;
      try {
        blamed = await parts.ask(abort.signal);
      } catch (error) {
        if (!abort.signal.aborted) console.info("The margin could not be filled.", error);
        return;
      }
      if (abort.signal.aborted) return;
      const since = this.#since;
      this.#since = null;
      if (since === null || lengthOf(blamed) !== length) {
        if (this.#tries++ < MOST_TRIES) this.#soon();
        return;
      }
      this.view.dispatch({ effects: answered.of(rangesOf(blamed).map(since)) });
    }
  }

  const at = (view: EditorView, from: number): Tooltip | null => {
    const found = authorOfLine(view.state, from);
    if (!found) return null;
    return {
      pos: from,
      above: true,
      create: () => {
        const dom = document.createElement("div");
        dom.className = "cm-blame-tip";
        dom.dataset["testid"] = "blame-tip";
        dom.textContent = longAuthor(found.author, found.atMs);
        return { dom };
      },
    };
  };
  const margin = gutter({
    class: "cm-blame",
    lineMarker: (view, line) => {
      const found = authorOfLine(view.state, line.from);
      if (!found) return null;
      const before = line.from > 0 ? authorOfLine(view.state, line.from - 1) : null;
      return new Mark(found, before?.author !== found.author, parts.color(found.author));
    },
    lineMarkerChange: (update) => update.transactions.some((one) => one.effects.some((effect) => effect.is(answered))),
    initialSpacer: () => new Spacer(),
    domEventHandlers: {
      mouseover: (view, line) => {
        const shown = view.state.field(tooltip);
        if (shown?.pos !== line.from) view.dispatch({ effects: hovered.of(at(view, line.from)) });
        return false;
      },
      mouseleave: (view) => {
        view.dispatch({ effects: hovered.of(null) });
        return false;
      },
      click: (view, line) => {
        const found = authorOfLine(view.state, line.from);
        if (found) parts.chosen(found.author);
        return found !== null;
      },
    },
  });
  return [ranges, tooltip, ViewPlugin.fromClass(Asker), margin];
}
