import { useId } from 'react';
import { count } from '@/lib/time';
import classes from './line-chart.module.css';

interface LineChartProps {
  label: string;
  points: { label: string; value: number }[];
}

const WIDTH = 640;
const HEIGHT = 200;
const LEFT = 8;
const RIGHT = 8;
const TOP = 36;
const BOTTOM = 26;

/** One line over days, labelled where it matters: the highest point, the last one, and the first and last day. */
export function LineChart({ label, points }: LineChartProps) {
  const id = useId();
  const highest = Math.max(1, ...points.map((point) => point.value));
  const x = (index: number) =>
    points.length < 2 ? WIDTH / 2 : LEFT + (index * (WIDTH - LEFT - RIGHT)) / (points.length - 1);
  const y = (value: number) => TOP + (1 - value / highest) * (HEIGHT - TOP - BOTTOM);
  const top = points.findIndex((point) => point.value === highest);
  const last = points.length - 1;
  const path = points
    .map((point, index) => `${index === 0 ? 'M' : 'L'}${x(index)} ${y(point.value)}`)
    .join('');
  const total = points.reduce((sum, point) => sum + point.value, 0);
  const words = `${label}: ${count(total)} in all, the most on ${points[top]?.label ?? ''} with ${count(highest)}.`;
  // Above its point, unless the line comes down through there.
  const labelY = (index: number) => {
    const at = y(points[index]?.value ?? 0);
    const comesDown =
      index === last && index !== top && (points[index - 1]?.value ?? 0) > (points[index]?.value ?? 0);
    return comesDown && at + 22 < y(0) ? at + 22 : at - 9;
  };
  const marked = [...new Set([top, last])].filter((index) => index >= 0);
  return (
    <svg className={classes.chart} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={id}>
      <title id={id}>{words}</title>
      <line className={classes.axis} x1={LEFT} x2={WIDTH - RIGHT} y1={y(0)} y2={y(0)} />
      {points.length > 1 && (
        <>
          <path className={classes.area} d={`${path}L${x(last)} ${y(0)}L${x(0)} ${y(0)}Z`} />
          <path className={classes.line} d={path} />
        </>
      )}
      {points.map((point, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: days stand in their order
        <g key={index} className={classes.point}>
          <rect
            x={x(index) - WIDTH / points.length / 2}
            y={0}
            width={WIDTH / points.length}
            height={HEIGHT}
            fill="transparent"
          >
            <title>{`${point.label}: ${count(point.value)}`}</title>
          </rect>
          <circle
            className={classes.dot}
            data-marked={marked.includes(index) || points.length === 1 || undefined}
            cx={x(index)}
            cy={y(point.value)}
            r={4}
          />
        </g>
      ))}
      {marked.map((index) => {
        const point = points[index];
        return (
          point && (
            <text
              key={index}
              className={classes.value}
              x={x(index)}
              y={labelY(index)}
              textAnchor={anchor(index, last)}
            >
              {count(point.value)}
            </text>
          )
        );
      })}
      {[...new Set([0, last])].map((index) => (
        <text
          key={index}
          className={classes.day}
          x={x(index)}
          y={HEIGHT - 6}
          textAnchor={anchor(index, last)}
        >
          {points[index]?.label}
        </text>
      ))}
    </svg>
  );
}

const anchor = (index: number, last: number) =>
  last === 0 ? 'middle' : index === 0 ? 'start' : index === last ? 'end' : 'middle';
