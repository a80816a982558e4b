// Draws what a page's JSON holds: a line for each test, and an upright line where the plan changed.
// The table beside the charts holds the same for those who don't see them, or run no script.

"use strict";

const HEIGHT = 200;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Where the plan changed: an upright line over all of the chart, with the interval at its top.
function marks(given) {
  return {
    hooks: {
      draw: (chart) => {
        const { ctx } = chart;
        const { left, top, width, height } = chart.bbox;
        const scale = devicePixelRatio;
        ctx.save();
        ctx.strokeStyle = ctx.fillStyle = colour("--focus");
        ctx.lineWidth = 1.5 * scale;
        ctx.setLineDash([4 * scale, 3 * scale]);
        ctx.font = `600 ${11 * scale}px system-ui, sans-serif`;
        ctx.textBaseline = "top";
        ctx.textAlign = "left";
        let free = left; // how far to the right words stand already, each row for itself
        let row = 0;
        for (const { at, words } of given) {
          const x = Math.round(chart.valToPos(at, "x", true));
          if (x < left - 1 || x > left + width + 1) continue;
          ctx.beginPath();
          ctx.moveTo(x, top);
          ctx.lineTo(x, top + height);
          ctx.stroke();
          const room = ctx.measureText(words).width;
          const toTheLeft = x + room + 6 * scale > left + width;
          const begins = toTheLeft ? x - room - 4 * scale : x + 4 * scale;
          row = begins < free ? (row + 1) % 3 : 0;
          ctx.fillText(words, begins, top + (2 + row * 13) * scale);
          free = begins + room;
        }
        ctx.restore();
        chart.root.dataset.marks = given.length;
      },
    },
  };
}

function draw(place, series, data) {
  const dates = new Intl.DateTimeFormat(data.locale, { month: "short", timeZone: "UTC" });
  const whole = new Intl.DateTimeFormat(data.locale, { dateStyle: "medium", timeZone: "UTC" });
  const axis = {
    stroke: colour("--soft"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  place.classList.add("drawn");
  return new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 9 } },
      padding: [8, 14, 0, 0],
      scales: {
        x: { min: data.from - 2 * 86400, max: data.to },
        // Room above the highest point, for the words at the marks.
        y: { range: (_, least, most) => uPlot.rangeNum(least, most + (most - least || most || 1) * 0.35, 0.1, false) },
      },
      axes: [
        { ...axis, space: 60, values: (_, splits) => splits.map((at) => dates.format(at * 1000)), incrs: [30.4375 * 86400, 61 * 86400, 91.3 * 86400] },
        { ...axis, size: 48 },
      ],
      series: [
        { value: (_, at) => (at === null ? "" : whole.format(at * 1000)) },
        { stroke: colour("--accent"), width: 2, points: { show: true, size: 7, fill: colour("--accent") } },
      ],
      plugins: [marks(data.marks)],
    },
    [series.x, series.y],
    place,
  );
}

for (const charts of document.querySelectorAll("[data-charts]")) {
  const data = JSON.parse(document.getElementById(charts.dataset.charts).textContent);
  const drawn = data.series.map((series) => {
    const place = document.getElementById(series.id);
    return [place, draw(place, series, data)];
  });
  const fit = () => drawn.forEach(([place, chart]) => chart.setSize({ width: place.clientWidth, height: HEIGHT }));
  addEventListener("resize", fit);
}
