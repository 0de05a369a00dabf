/** Suggestions shown in the text, above the line where they belong. */
import { StateEffect, StateField, type EditorState, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, type DecorationSet } from "@codemirror/view";
import * as Y from "yjs";
import type { Suggestion } from "../messages";

/** Draws a suggestion into an element; gives what takes it away again. */
export type DrawSuggestion = (element: HTMLElement, suggestion: Suggestion) => () => void;

const replaceAll = StateEffect.define<readonly Suggestion[]>();

class SuggestionWidget extends WidgetType {
  constructor(
    readonly suggestion: Suggestion,
    readonly draw: DrawSuggestion,
  ) {
    super();
  }

  override eq(other: SuggestionWidget): boolean {
    return other.suggestion === this.suggestion;
  }

  override get estimatedHeight(): number {
    return 120;
  }

  override toDOM(view: EditorView): HTMLElement {
    const element = document.createElement("div");
    element.className = "inline-suggestion";
    element.dataset["testid"] = "inline-suggestion";
    element.dataset["suggestion"] = this.suggestion.suggestion;
    const remove = this.draw(element, this.suggestion);
    // The card is drawn later than this call, and grows when its tabs change.
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

/** Where a suggestion belongs in a text; null if its anchor is elsewhere or cannot be read. */
export function anchorIn(suggestion: Suggestion, text: Y.Text): number | null {
  if (suggestion.anchor === null || !text.doc) return null;
  try {
    const bytes = Uint8Array.from(atob(suggestion.anchor), (char) => char.charCodeAt(0));
    const position = Y.createAbsolutePositionFromRelativePosition(Y.decodeRelativePosition(bytes), text.doc);
    return position && position.type === text ? position.index : null;
  } catch (error) {
    console.warn(`The place of suggestion ${suggestion.suggestion} cannot be read.`, error);
    return null;
  }
}

export function inlineSuggestions(text: Y.Text, draw: DrawSuggestion): Extension {
  const place = (suggestions: readonly Suggestion[], state: EditorState): DecorationSet => {
    const ranges: Range<Decoration>[] = [];
    for (const suggestion of suggestions) {
      const index = anchorIn(suggestion, text);
      if (index === null) continue;
      const line = state.doc.lineAt(Math.min(index, state.doc.length));
      const widget = new SuggestionWidget(suggestion, draw);
      ranges.push(Decoration.widget({ widget, block: true, side: -1 }).range(line.from));
    }
    return Decoration.set(ranges, true);
  };
  return StateField.define<DecorationSet>({
    create: () => Decoration.none,
    update: (shown, transaction) => {
      for (const effect of transaction.effects) {
        if (effect.is(replaceAll)) return place(effect.value, transaction.state);
      }
      return shown.map(transaction.changes);
    },
    provide: (field) => EditorView.decorations.from(field),
  });
}

/** Shows these suggestions in the editor instead of the ones before. */
export function showSuggestions(view: EditorView, suggestions: readonly Suggestion[]): void {
  view.dispatch({ effects: replaceAll.of(suggestions) });
}
