/** On a phone one panel is seen at a time; these tabs choose it. */
import type { KeyboardEvent } from "react";
import { useRoom, useSession } from "../store/context";
import type { Panel } from "../store/state";
import { Icon, type IconName } from "./Icon";

const TABS: [Panel, string, IconName][] = [
  ["files", "Files", "folder"],
  ["editor", "Editor", "code"],
  ["ai", "AI", "spark"],
  ["people", "People", "people"],
];

export function TabBar() {
  const session = useSession();
  const panel = useRoom((state) => state.panel);
  const open = useRoom((state) => state.ai.suggestions.filter((one) => one.state === "open").length);
  const here = useRoom((state) => state.people.length);
  const counts: Partial<Record<Panel, number>> = { ai: open, people: here > 1 ? here : 0 };

  const keys = (event: KeyboardEvent<HTMLElement>): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const index = TABS.findIndex(([name]) => name === panel);
    const next = TABS[(index + step + TABS.length) % TABS.length]!;
    session.show(next[0]);
    event.currentTarget.querySelector<HTMLElement>(`#tab-${next[0]}`)?.focus();
  };

  return (
    <div className="tabs" role="tablist" aria-label="Panels" onKeyDown={keys}>
      {TABS.map(([name, text, icon]) => (
        <button
          key={name}
          id={`tab-${name}`}
          type="button"
          role="tab"
          aria-selected={panel === name}
          aria-controls={`panel-${name}`}
          tabIndex={panel === name ? 0 : -1}
          data-testid={`tab-${name}`}
          onClick={() => session.show(name)}
        >
          <Icon name={icon} size={18} />
          <span>{text}</span>
          {counts[name] ? <span className="count">{counts[name]}</span> : null}
        </button>
      ))}
    </div>
  );
}
