// Numbers and names as people read them.

export const OTHER = "other"; // the label of what shows none of the labels
const whole = new Intl.NumberFormat("en");
const SIDES = [64, 96, 128, 160, 240, 320, 480]; // that the server draws

export function count(value) {
  return whole.format(value);
}

/** Say how many: "1,204 pictures", "1 picture". */
export function many(value, one = "picture", more = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : more}`;
}

/** Write a number with so many decimals, thousands apart; a dash where it is not known. */
export function decimal(value, digits = 0) {
  if (!Number.isFinite(value)) return "–";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Write an edge of a range with three significant digits and no zeros at its end. */
export function short(value) {
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (Math.abs(value) >= 1e3) return count(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

export function percent(share) {
  return Number.isFinite(share) ? `${decimal(share * 100, 1)} %` : "–";
}

export function bytes(value) {
  if (!Number.isFinite(value)) return "–";
  if (value < 1e3) return `${value} B`;
  return value < 1e6 ? `${decimal(value / 1e3)} kB` : `${decimal(value / 1e6, 1)} MB`;
}

/** Turn a column's name into words: "top_label" is "Top label". */
export function words(name) {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Return the address of a small picture that fills so many CSS pixels. */
export function thumbnail(imageId, pixels = 240) {
  const wanted = pixels * Math.min(devicePixelRatio, 2);
  const side = SIDES.find((one) => one >= wanted) ?? SIDES.at(-1);
  return `api/v1/${picture(imageId)}/thumbnail?side=${side}`;
}

export function original(imageId) {
  return `api/v1/${picture(imageId)}/image`;
}

export function picture(imageId) {
  return `pictures/${encodeURIComponent(imageId)}`;
}

/** Say in a line whose picture it is: "J. Doe · CC BY 2.0". */
export function credit(item) {
  return [item.author, item.license && licence(item.license)].filter(Boolean).join(" · ");
}

/** Write the name of a flag as words: "low contrast". */
export const flag = (name) => name.replaceAll("_", " ");

/** Shorten the address of a licence: "CC BY-SA 4.0"; another loses what all addresses have. */
export function licence(text) {
  const [, free, kind, version] =
    /creativecommons\.org\/(licenses|publicdomain)\/([a-z-]+)\/([0-9.]+)/i.exec(text) ?? [];
  if (free === "licenses") return `CC ${kind.toUpperCase()} ${version}`;
  if (free) return kind === "zero" ? "CC0" : "Public domain";
  return text.replace(/^https?:\/\/(www\.)?/, "").replace(/\/$/, "");
}

/** Describe a picture for those who do not see it. */
export function described(item) {
  const parts = [item.label || item.top_label || "Picture"];
  if (item.similarity !== undefined) parts.push(`${decimal(item.similarity, 2)} alike`);
  if (item.style) parts.push(item.style);
  if (item.unsure) parts.push("not sure");
  if (item.disputed) parts.push(`people said ${said(item)}`);
  if (item.duplicate) parts.push(item.duplicate === "keeper" ? "has duplicates" : "a duplicate");
  return [...parts, credit(item)].filter(Boolean).join(", ");
}

export function said(item) {
  return (Array.isArray(item.truth) ? item.truth : [item.truth]).filter(Boolean).join(", ");
}
