// How large cells are on the map, and where their pictures lie in them.

const COVER = 0.3; // share of the map that all circles would cover
const LARGEST = 0.09; // radius, as a share of the map's side
const INNER = 0.95; // of a circle's radius, within which its pictures lie

/** Return the radius of each cell, as a share of the map's side; areas are as pictures. */
export function cellSizes(cells) {
  const all = cells.reduce((sum, { pictures }) => sum + pictures, 0) || 1;
  const radius = ({ pictures }) => Math.min(LARGEST, Math.sqrt((COVER * pictures) / all / Math.PI));
  return new Map(cells.map((cell) => [cell.cell, cell.radius ?? radius(cell)]));
}

/** Lay a cell's pictures into its circle as they lie around its centre, and give each a side. */
export function placedPictures(cell, radius, pictures) {
  const far = Math.max(...pictures.map(({ x, y }) => Math.hypot(x - cell.x, y - cell.y)), 1e-9);
  const side = (INNER * radius * Math.sqrt(Math.PI / Math.max(pictures.length, 4))) * 0.9;
  const stretch = pictures.length > 1 ? (INNER * radius - side / 2) / far : 0;
  return pictures.map((picture) => ({
    ...picture,
    x: cell.x + (picture.x - cell.x) * stretch,
    y: cell.y + (picture.y - cell.y) * stretch,
    side,
  }));
}
