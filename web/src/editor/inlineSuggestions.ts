/** Suggestions shown in the text, above the lines where they belong; these lines are marked. */
import { StateEffect, StateField, type EditorState, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, keymap, WidgetType, type DecorationSet } from "@codemirror/view";
import type * as Y from "yjs";
import type { Suggestion } from "../messages";
import { rangeIn } from "../review/place";

/** Draws a suggestion into an element; gives what takes it away again. */
export type DrawSuggestion = (element: HTMLElement, suggestion: Suggestion, view: EditorView) => () => void;

interface Shown {
  suggestions: readonly Suggestion[];
  decorations: DecorationSet;
}

const replaceAll = StateEffect.define<readonly Suggestion[]>();
/** The text has changed: the places are asked for again. */
const placeAgain = StateEffect.define<null>();

class SuggestionWidget extends WidgetType {
  constructor(
    readonly suggestion: Suggestion,
    readonly draw: DrawSuggestion,
  ) {
    super();
  }

  /** The same card for the same suggestion: it looks up what has changed by itself, and keeps the focus. */
  override eq(other: SuggestionWidget): boolean {
    return other.suggestion.suggestion === this.suggestion.suggestion;
  }

  override get estimatedHeight(): number {
    return 120;
  }

  override toDOM(view: EditorView): HTMLElement {
    const element = document.createElement("div");
    element.className = "inline-suggestion";
    element.dataset["testid"] = "inline-suggestion";
    element.dataset["suggestion"] = this.suggestion.suggestion;
    const remove = this.draw(element, this.suggestion, view);
    // The card is drawn later than this call, and grows when its text does.
    const observer = new ResizeObserver(() => view.requestMeasure());
    observer.observe(element);
    removals.set(element, () => {
      observer.disconnect();
      remove();
    });
    return element;
  }

  override destroy(element: HTMLElement): void {
    removals.get(element)?.();
    removals.delete(element);
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

const removals = new WeakMap<HTMLElement, () => void>();
const marked = Decoration.line({ class: "cm-suggested" });

/** Focuses the card at a place, which is drawn some frames after the place was scrolled to. */
function focusCard(view: EditorView, place: number, frames = 20): void {
  requestAnimationFrame(() => {
    const cards = [...view.contentDOM.querySelectorAll<HTMLElement>(".inline-suggestion")];
    const card = cards.find((one) => view.posAtDOM(one) === place)?.querySelector("article");
    if (card) card.focus();
    else if (frames > 0 && view.hasFocus) focusCard(view, place, frames - 1);
  });
}

export function inlineSuggestions(text: Y.Text, draw: DrawSuggestion): Extension {
  const place = (suggestions: readonly Suggestion[], state: EditorState): DecorationSet => {
    const ranges: Range<Decoration>[] = [];
    const lines = new Set<number>();
    for (const suggestion of suggestions) {
      const range = rangeIn(suggestion, text);
      if (range === null) continue;
      const first = state.doc.lineAt(Math.min(range.from, state.doc.length));
      const widget = new SuggestionWidget(suggestion, draw);
      ranges.push(Decoration.widget({ widget, block: true, side: -1 }).range(first.from));
      if (suggestion.anchor === null || range.to === range.from) continue;
      const last = state.doc.lineAt(Math.min(Math.max(range.to - 1, range.from), state.doc.length));
      for (let number = first.number; number <= last.number; number++) lines.add(number);
    }
    for (const number of lines) ranges.push(marked.range(state.doc.line(number).from));
    return Decoration.set(ranges, true);
  };
  const field = StateField.define<Shown>({
    create: () => ({ suggestions: [], decorations: Decoration.none }),
    update: (shown, transaction) => {
      let { suggestions } = shown;
      let again = false;
      for (const effect of transaction.effects) {
        if (effect.is(replaceAll)) suggestions = effect.value;
        else if (!effect.is(placeAgain)) continue;
        again = true;
      }
      if (again) return { suggestions, decorations: place(suggestions, transaction.state) };
      if (!transaction.docChanged) return shown;
      return { suggestions, decorations: shown.decorations.map(transaction.changes) };
    },
    provide: (self) => EditorView.decorations.from(self, (shown) => shown.decorations),
  });
  // While this runs, the shared text may not have the change yet; a frame later it has.
  let frame = 0;
  const follow = EditorView.updateListener.of((update) => {
    if (!update.docChanged || frame !== 0 || update.state.field(field).suggestions.length === 0) return;
    const { view } = update;
    frame = requestAnimationFrame(() => {
      frame = 0;
      if (view.dom.isConnected) view.dispatch({ effects: placeAgain.of(null) });
    });
  });
  const move = (view: EditorView, step: 1 | -1): boolean => {
    const at = view.state.selection.main.head;
    const places: number[] = [];
    const { decorations, suggestions } = view.state.field(field);
    decorations.between(0, view.state.doc.length, (from, _to, value) => {
      if (value.spec.widget instanceof SuggestionWidget) places.push(from);
    });
    if (places.length === 0 || suggestions.length === 0) return false;
    const line = view.state.doc.lineAt(at).from;
    const next =
      step > 0 ? (places.find((one) => one > line) ?? places[0]!) : (places.findLast((one) => one < line) ?? places.at(-1)!);
    view.dispatch({ selection: { anchor: next }, effects: EditorView.scrollIntoView(next, { y: "center" }) });
    focusCard(view, next);
    return true;
  };
  const keys = keymap.of([
    { key: "F8", run: (view) => move(view, 1) },
    { key: "Shift-F8", run: (view) => move(view, -1) },
  ]);
  return [field, follow, keys];
}

/** Shows these suggestions in the editor instead of the ones before. */
export function showSuggestions(view: EditorView, suggestions: readonly Suggestion[]): void {
  view.dispatch({ effects: replaceAll.of(suggestions) });
}
