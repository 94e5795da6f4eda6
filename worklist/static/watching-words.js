// Values as people write them, as the tables of the page do.
export function written(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "count") return value.toLocaleString("en");
  if (unit === "share") return percent(value);
  return unit === "seconds" ? seconds(value) : value.toFixed(2);
}

function percent(value) {
  const fine = (value > 0 && value < 0.095) || (value > 0.905 && value < 1);
  return `${(100 * value).toFixed(fine && Math.abs(Math.round(100 * value) - 100 * value) > 0.05 ? 1 : 0)} %`;
}

function seconds(value) {
  if (value < 10) return `${Number(value.toPrecision(2))} s`;
  if (value < 60) return `${Math.round(value)} s`;
  if (value < 3600) return `${Math.round(value / 60)} min`;
  if (value < 86400) return `${Number((value / 3600).toFixed(1))} h`;
  return `${Number((value / 86400).toFixed(1))} d`;
}
