/** Base, ours and theirs in columns (below each other where it is narrow), with the words that differ marked. */
import { useMemo } from "react";
import { threeSides, type Piece, type Row } from "./threeSides";

interface Props {
  base: string;
  ours: string;
  theirs: string;
  /** What the columns are called. */
  names: { base: string; ours: string; theirs: string };
}

const BY: Record<Extract<Row, { kind: "changed" }>["by"], string> = {
  ours: "Changed by people",
  theirs: "Changed by the proposal",
  both: "Changed by both",
  agreed: "Changed alike by both",
};

function Cell({ pieces, side, name }: { pieces: Piece[]; side: keyof Props["names"]; name: string }) {
  const Mark = side === "base" ? "del" : "ins";
  return (
    <td className={`side-${side}`} data-side={name}>
      <pre>
        {pieces.map(({ text, marked }, index) => (marked ? <Mark key={index}>{text}</Mark> : <span key={index}>{text}</span>))}
      </pre>
    </td>
  );
}

export function SideBySide({ base, ours, theirs, names }: Props) {
  const rows = useMemo(() => threeSides(base, ours, theirs), [base, ours, theirs]);
  return (
    // Scrolled by keys too, so it can have the focus.
    <div className="sides" tabIndex={0} role="region" aria-label="The three texts" data-testid="sides">
      <table>
        <thead>
          <tr>
            <th scope="col">{names.base}</th>
            <th scope="col">{names.ours}</th>
            <th scope="col">{names.theirs}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => {
            switch (row.kind) {
              case "folded":
                return (
                  <tr key={index} className="folded">
                    <td colSpan={3}>{row.count} unchanged lines</td>
                  </tr>
                );
              case "same":
                return (
                  <tr key={index} className="same">
                    {(["base", "ours", "theirs"] as const).map((side) => (
                      <td key={side} className={`side-${side}`}>
                        <pre>{row.text}</pre>
                      </td>
                    ))}
                  </tr>
                );
              case "changed":
                return (
                  <tr key={index} className={`changed by-${row.by}`} title={BY[row.by]}>
                    {(["base", "ours", "theirs"] as const).map((side) => (
                      <Cell key={side} pieces={row[side]} side={side} name={names[side]} />
                    ))}
                  </tr>
                );
            }
          })}
        </tbody>
      </table>
    </div>
  );
}
