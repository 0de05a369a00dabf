/** How a job is to be done, where people do not leave that to the engine. */
import { useId, useMemo } from "react";
import type { Strategy } from "../messages";
import { useRoom } from "../store/context";
import { knownModels } from "./models";
import { PRIORITIES, STRATEGIES, type Priority } from "./words";

export interface Wishes {
  /** Null: the engine chooses. */
  strategy: Strategy | null;
  /** Empty: the engine chooses. */
  model: string;
  priority: Priority;
}

function ModelField({ value, change }: { value: string; change: (model: string) => void }) {
  const id = useId();
  const server = useRoom((state) => state.server);
  const jobs = useRoom((state) => state.ai.jobs);
  const models = useMemo(() => knownModels(server, jobs), [server, jobs]);
  return (
    <label>
      <span>Model</span>
      <input
        className="input"
        data-testid="wanted-model"
        list={id}
        placeholder="Automatic"
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        value={value}
        onChange={(event) => change(event.target.value)}
      />
      <datalist id={id}>
        {models.map((model) => (
          <option key={model.name} value={model.name}>
            {model.about}
          </option>
        ))}
      </datalist>
    </label>
  );
}

export function Options({ wishes, change }: { wishes: Wishes; change: (wishes: Wishes) => void }) {
  const model = useRoom((state) => state.server?.model ?? null);
  return (
    <>
      <label>
        <span>Strategy</span>
        <select
          className="input"
          data-testid="strategy"
          value={wishes.strategy ?? ""}
          onChange={(event) => change({ ...wishes, strategy: (event.target.value || null) as Strategy | null })}
        >
          <option value="">Automatic</option>
          {STRATEGIES.map(([value, name, what]) => (
            <option key={value} value={value}>
              {name}: {what}
            </option>
          ))}
        </select>
      </label>
      {model !== null && <ModelField value={wishes.model} change={(wanted) => change({ ...wishes, model: wanted })} />}
      <label>
        <span>Priority</span>
        <select
          className="input"
          data-testid="priority"
          value={wishes.priority}
          onChange={(event) => change({ ...wishes, priority: event.target.value as Priority })}
        >
          {PRIORITIES.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}
