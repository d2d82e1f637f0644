// Pictures that were dropped, pasted or chosen: kept in this page alone, for Back and for filters.

const kept = new Map(); // number in the address to files
let next = 1;

export function keep(files) {
  const number = String(next++);
  kept.set(number, { files, previews: files.map((file) => URL.createObjectURL(file)) });
  return number;
}

/** Return {files, previews}; undefined where the page was loaded anew since. */
export function uploaded(number) {
  return kept.get(number);
}
