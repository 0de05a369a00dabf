/** Which rows of a long list are near enough to be drawn. */
import { useLayoutEffect, useMemo, useState, type RefObject } from "react";

/** Shorter lists are drawn whole. */
const WHOLE = 300;
const MARGIN = 20;

export interface RowWindow {
  from: number;
  to: number;
  /** Height in pixels of what is left out above and below. */
  before: number;
  after: number;
  scrolled: () => void;
  reveal: (index: number) => void;
}

export function useWindow(list: RefObject<HTMLElement | null>, count: number): RowWindow {
  const [top, setTop] = useState(0);
  const [size, setSize] = useState({ row: 28, height: 600 });

  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const measure = (): void => {
      const row = element.querySelector<HTMLElement>('[role="treeitem"]')?.offsetHeight;
      setSize((before) => {
        const next = { row: row || before.row, height: element.clientHeight || before.height };
        return next.row === before.row && next.height === before.height ? before : next;
      });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [list]);

  return useMemo(() => {
    const whole = count <= WHOLE;
    const from = whole ? 0 : Math.min(count, Math.max(0, Math.floor(top / size.row) - MARGIN));
    const to = whole ? count : Math.min(count, Math.ceil((top + size.height) / size.row) + MARGIN);
    return {
      from,
      to,
      before: from * size.row,
      after: (count - to) * size.row,
      scrolled: () => setTop(list.current?.scrollTop ?? 0),
      reveal: (index: number) => {
        const element = list.current;
        if (!element) return;
        const place = index * size.row;
        if (place < element.scrollTop) element.scrollTop = place;
        else if (place + size.row > element.scrollTop + element.clientHeight) {
          element.scrollTop = place + size.row - element.clientHeight;
        }
      },
    };
  }, [count, top, size, list]);
}
