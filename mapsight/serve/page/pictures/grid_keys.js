// Which picture a key leads to.

/** Return the index that a key leads to from `index`; null where it is no key to move by. */
export function arrows(event, index, { columns, page, total }) {
  const to = {
    ArrowLeft: index - 1,
    ArrowRight: index + 1,
    ArrowUp: index - columns,
    ArrowDown: index + columns,
    PageUp: index - page,
    PageDown: index + page,
    Home: event.ctrlKey ? 0 : index - (index % columns),
    End: event.ctrlKey ? total - 1 : index - (index % columns) + columns - 1,
  }[event.key];
  if (to === undefined || event.altKey) return null;
  if (event.key === "ArrowUp" && to < 0) return index;
  if (event.key === "ArrowDown" && to >= total) return lastBelow(index, columns, total);
  return Math.max(0, Math.min(to, total - 1));
}

/** From the row before the last, Down leads to the last picture where the last row is short. */
function lastBelow(index, columns, total) {
  const lastRow = Math.floor((total - 1) / columns);
  return Math.floor(index / columns) < lastRow ? total - 1 : index;
}
