const PATHS = {
  plus: "M8 3v10M3 8h10",
  upload: "M8 10.5V3M5 5.5 8 2.5l3 3M3 10.5v2h10v-2",
  download: "M8 2.5V10M5 7.5l3 3 3-3M3 11.5v2h10v-2",
  folder: "M2 4.5h4l1.5 1.5H14v7H2z",
  file: "M4 2h5l3 3v9H4zM9 2v3h3",
  up: "M8 12.5v-9M4.5 7 8 3.5 11.5 7",
  down: "M8 3.5v9M4.5 9 8 12.5 11.5 9",
  chevron: "M6 4l4 4-4 4",
  pencil: "M3 13l.7-2.8L10.5 3.4l2.1 2.1-6.8 6.8zM9.3 4.6l2.1 2.1",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M6.8 7v3.5M9.2 7v3.5",
  spark: "M8 2l1.5 4.5L14 8l-4.5 1.5L8 14l-1.5-4.5L2 8l4.5-1.5z",
  people: "M6 8a2.3 2.3 0 1 0 0-4.6A2.3 2.3 0 0 0 6 8zM2 13c0-2.2 1.8-3.4 4-3.4s4 1.2 4 3.4M11 8a2 2 0 1 0-.6-3.9M11.6 9.7c1.5.2 2.6 1.3 2.6 3.3",
  code: "M5.5 5 2.5 8l3 3M10.5 5l3 3-3 3",
  sun: "M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M12.6 3.4l-1.4 1.4M4.8 11.2l-1.4 1.4",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z",
  close: "M4 4l8 8M12 4l-8 8",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6",
  margin: "M2.5 4h2M2.5 8h2M2.5 12h2M7 4h6.5M7 8h6.5M7 12h4",
  link: "M6.8 9.2l2.4-2.4M7.2 4.8l1.3-1.3a2.8 2.8 0 0 1 4 4l-1.3 1.3M8.8 11.2l-1.3 1.3a2.8 2.8 0 0 1-4-4l1.3-1.3",
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing; it says nothing to screen readers, so its button needs a label. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
