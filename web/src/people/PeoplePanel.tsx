/** Who is here, and this person's own name. */
import { useEffect, useState } from "react";
import { baseName } from "../files/paths";
import { Icon } from "../layout/Icon";
import { useRoom, useSession } from "../store/context";
import { MAX_NAME } from "./identity";
import type { Participant } from "./participants";

function NameForm() {
  const session = useSession();
  const { name, color } = useRoom((state) => state.self);
  const [text, setText] = useState(name);
  useEffect(() => setText(name), [name]);
  const keep = (): void => {
    if (text.trim() && text !== name) session.rename(text);
    else setText(name);
  };
  return (
    <form
      className="own-name"
      onSubmit={(event) => {
        event.preventDefault();
        keep();
      }}
    >
      <span className="dot" style={{ background: color }} />
      <input
        className="input"
        data-testid="name-input"
        aria-label="Your name"
        title="Your name, as the others see it"
        maxLength={MAX_NAME}
        value={text}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        onBlur={keep}
        onKeyDown={(event) => {
          if (event.key === "Escape") setText(name);
        }}
      />
    </form>
  );
}

function Person({ person }: { person: Participant }) {
  const session = useSession();
  const file = useRoom((state) => state.files.find((one) => one.id === person.file));
  const label = person.kind === "job" ? "AI job" : null;
  return (
    <li>
      <button
        type="button"
        className="person"
        data-testid="person"
        data-name={person.name}
        data-kind={person.kind}
        title={file ? `Go to ${person.name} in ${file.shown}` : person.name}
        onClick={() => session.follow(person)}
      >
        <span className="avatar" style={{ background: person.color }} aria-hidden="true">
          {person.kind === "job" ? <Icon name="spark" size={13} /> : ([...person.name.trim()][0] ?? "?").toUpperCase()}
        </span>
        <span className="person-text">
          <span className="person-name">
            {person.name} {label && <span className="badge">{label}</span>}
          </span>
          <span className="muted small mono ellipsis">{file ? baseName(file.shown) : "No file open"}</span>
        </span>
      </button>
    </li>
  );
}

export function PeoplePanel() {
  const people = useRoom((state) => state.people);
  const others = people.filter((one) => !one.self);
  return (
    <div className="people">
      <div className="panel-head">
        <h2>People</h2>
        <span className="muted small">{people.length}</span>
      </div>
      <NameForm />
      <ul className="people-list" data-testid="people" aria-label="Who else is here">
        {others.map((one) => (
          <Person key={one.client} person={one} />
        ))}
      </ul>
      {others.length === 0 && <p className="muted small pad">Nobody else is here. Share this page's address to work together.</p>}
    </div>
  );
}
