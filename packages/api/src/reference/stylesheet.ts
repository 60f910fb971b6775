/** Of the reference page. Text in a module, so that the package needs no step that copies files. */
export const stylesheet = `:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f5f6f8; --line: #d9dde3; --text: #1b2330; --soft: #586274; --link: #0b57c2;
  --get: #0b57c2; --post: #1a7338; --put: #8a5a00; --delete: #b3261e; --mark: #fff3c9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --panel: #1b212a; --line: #333c49; --text: #e4e8ee; --soft: #a0abba; --link: #7fb2ff;
    --get: #7fb2ff; --post: #6fd08c; --put: #e8b454; --delete: #ff8f85; --mark: #3a3420;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 4.5rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: 0.15em; }
code, pre, .path, .type { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.875em; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; z-index: 2; background: var(--ground); padding: 0.5rem; }
header { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: baseline; padding: 0.6rem 1.25rem;
  background: var(--ground); border-bottom: 1px solid var(--line); }
header p { margin: 0; }
.brand { font-weight: 700; font-size: 1.1rem; }
.brand span { font-weight: 400; color: var(--soft); font-size: 0.875rem; }
.links { margin-left: auto; display: flex; gap: 1rem; font-size: 0.875rem; }
nav { padding: 0.75rem 1.25rem; background: var(--panel); border-bottom: 1px solid var(--line); }
nav summary { font-weight: 600; }
nav h2 { margin: 1rem 0 0.25rem; font-size: 0.8125rem; text-transform: capitalize; border: 0; padding: 0; }
nav h2 a { color: var(--text); text-decoration: none; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: grid; grid-template-columns: 3.4rem 1fr; gap: 0.4rem; align-items: baseline; padding: 0.2rem 0.35rem; border-radius: 4px; color: var(--text);
  text-decoration: none; font-size: 0.8125rem; }
nav li a:hover, nav li a:focus-visible { background: var(--line); }
main { padding: 1.25rem; min-width: 0; max-width: 62rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0.25rem 0 1rem; }
h2 { font-size: 1.375rem; line-height: 1.25; margin: 3rem 0 1rem; }
main h2::first-letter { text-transform: uppercase; }
h3 { font-size: 1.0625rem; margin: 0 0 0.5rem; display: flex; flex-wrap: wrap; gap: 0.3rem 0.6rem; align-items: baseline; }
h4 { font-size: 0.875rem; margin: 1.25rem 0 0.25rem; color: var(--soft); }
p { margin: 0.5rem 0; }
article { border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.25rem; margin: 0 0 1.25rem; }
article:target { border-color: var(--link); box-shadow: 0 0 0 1px var(--link); }
article h3 a { color: var(--text); text-decoration: none; }
article h3 a:hover { text-decoration: underline; }
.schema { padding: 0.6rem 1.25rem; margin-bottom: 0.6rem; }
.schema h3 { margin: 0; font-size: 0.9375rem; }
.path { font-weight: 600; font-size: 0.9375rem; }
.summary { font-weight: 500; }
.method { font: 700 0.6875rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; text-transform: uppercase; letter-spacing: 0.02em; color: var(--get); }
h3 .method { border: 1px solid currentColor; border-radius: 4px; padding: 0 0.45em; font-size: 0.75rem; }
.method.post { color: var(--post); } .method.put, .method.patch { color: var(--put); } .method.delete { color: var(--delete); }
.who, .where, .default, .about { color: var(--soft); font-size: 0.875rem; }
.role { border: 1px solid var(--line); background: var(--panel); border-radius: 999px; padding: 0.05rem 0.6rem; color: var(--text); font-size: 0.8125rem; white-space: nowrap; }
.members { list-style: none; margin: 0.25rem 0; padding: 0; }
.members li { padding: 0.35rem 0; border-top: 1px solid var(--line); }
.members li:first-child { border-top: 0; }
.members .members { margin-left: 0.4rem; padding-left: 0.8rem; border-left: 2px solid var(--line); }
.name { font-weight: 700; margin-right: 0.35rem; }
.members summary { font-size: 0.875rem; color: var(--soft); }
.type { color: var(--soft); }
.required { color: var(--delete); font-size: 0.8125rem; font-weight: 600; }
.about { display: block; }
summary { cursor: pointer; padding: 0.15rem 0; }
summary:focus-visible, a:focus-visible, pre:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.status { font-variant-numeric: tabular-nums; margin-right: 0.3rem; }
.reply { margin: 0.25rem 0; }
.problems { margin-top: 0.75rem; font-size: 0.875rem; }
.problems ul { margin: 0.25rem 0; padding-left: 1.25rem; }
pre { margin: 0.25rem 0 0; padding: 0.75rem 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; overflow-x: auto; overflow-wrap: normal; line-height: 1.5; }
h4 .default { font-weight: 400; margin-left: 0.4rem; }
.or { margin: 0; color: var(--soft); font-size: 0.8125rem; }
dt { margin-top: 0.6rem; font-weight: 600; } dd { margin: 0; color: var(--soft); }
@media (min-width: 60rem) {
  .columns { display: grid; grid-template-columns: 19rem minmax(0, 1fr); }
  nav { position: sticky; top: 3rem; align-self: start; height: calc(100vh - 3rem); overflow-y: auto; border: 0; border-right: 1px solid var(--line); }
  main { padding: 1.5rem 2.5rem 6rem; }
  @supports selector(::details-content) {
    nav details::details-content { content-visibility: visible; display: block; }
    nav summary { display: none; }
  }
}
@media (max-width: 30rem) {
  header, nav, main { padding-left: 0.9rem; padding-right: 0.9rem; }
  article { padding: 0.8rem 0.9rem; }
}
@media print { header, nav { display: none; } article { break-inside: avoid; } }
`
