/** The look of a report. */
export const style = `
:root {
  --paper: #fcfcfa; --ink: #1d2021; --faint: #75726b; --line: #e5e2da; --card: #ffffff; --accent: #0b6e74;
  --curve-1: #0b6e74; --curve-2: #d1622b; --curve-3: #6b57b8; --curve-4: #8a8a2f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #17191a; --ink: #e8e6e0; --faint: #9b978e; --line: #33363a; --card: #1f2224; --accent: #5cc2c7;
    --curve-1: #5cc2c7; --curve-2: #f09a63; --curve-3: #a998ec; --curve-4: #c8c861;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem 5rem }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem }
h2 { font-size: 1.2rem; margin: 2.8rem 0 .3rem }
p { margin: .3rem 0 1rem; max-width: 44rem }
.lead { font-size: 1.1rem }
.note { color: var(--faint) }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1px; margin: 1.5rem 0;
  background: var(--line); border: 1px solid var(--line); border-radius: .5rem; overflow: hidden }
.facts div { background: var(--card); padding: .7rem .9rem }
.facts dt { color: var(--faint); font-size: .8rem }
.facts dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums }
.chart { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem .5rem .5rem }
.u-legend { font-size: .85rem; color: var(--ink) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .45rem .8rem; text-align: right; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left }
thead th { color: var(--faint); font-weight: 500; font-size: .85rem }
.confusion td { text-align: center; min-width: 4rem; border: 1px solid var(--line);
  background: color-mix(in srgb, var(--accent) calc(var(--share) * 75%), var(--card)) }
.confusion td:first-child { text-align: center }
.confusion th { border: 0 }
blockquote { margin: 0 0 1.1rem; padding: .7rem 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem }
blockquote mark { background: color-mix(in srgb, var(--accent) 25%, transparent); color: inherit; padding: 0 .2em;
  border-radius: .2em }
blockquote small { display: block; color: var(--faint); margin-top: .3rem }
.attention { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem }
.attention label { margin-right: 1rem; color: var(--faint) }
select { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .3rem }
#attention-tokens { margin-top: 1rem; display: flex; flex-wrap: wrap; gap: .3rem }
#attention-tokens button { font: .95rem ui-monospace, monospace; color: inherit; padding: .15rem .4rem; cursor: pointer;
  border: 1px solid transparent; border-radius: .3rem;
  background: color-mix(in srgb, var(--accent) calc(var(--weight, 0) * 70%), var(--paper)) }
#attention-tokens button.chosen { border-color: var(--ink) }
footer { margin-top: 4rem; color: var(--faint); font-size: .85rem }
`
