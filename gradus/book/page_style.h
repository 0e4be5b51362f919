// What a chapter's page adds to the look of report.html.
#pragma once

namespace gradus::book {

inline constexpr const char* page_style = R"css(
.book{max-width:46rem;font:17.5px/1.6 Charter,"Bitstream Charter","Iowan Old Style","Palatino Linotype",Palatino,Georgia,"DejaVu Serif",serif}
.book h1,.book h2,.book h3,.book nav,.book table,.book figure,.book .claim,.book .kicker,.book footer,.book .contents,.book .verdict{font-family:system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.skip{position:absolute;left:-999px}.skip:focus{left:12px;top:12px;background:var(--card);padding:6px 12px;z-index:1}
.bar-top,.bar-end{display:flex;flex-wrap:wrap;justify-content:space-between;gap:6px 24px;font-size:14px;line-height:1.4}
.bar-top{margin:0 0 30px}.bar-end{margin-top:48px}.bar-top a,.bar-end a{padding:4px 0;text-decoration:none}.bar-top a:hover,.bar-end a:hover{text-decoration:underline}
.kicker{font-size:14px;color:var(--soft);margin:0 0 6px}
.book h1{font-size:34px;margin:0 0 12px}.request{font-style:italic;color:var(--soft);margin:0 0 26px}
.book h2{font-size:22px;margin:48px 0 12px}.book h3{font-size:17px;margin:28px 0 6px}
.book h2 a,.book h3 a{color:inherit;text-decoration:none}
.book p{margin:0 0 15px;hyphens:auto}.book ul,.book ol{padding-left:1.35em;margin:0 0 16px}.book li{margin:0 0 6px}
.toc{margin:0 0 34px;font-size:14.5px;line-height:1.5;border-top:1px solid var(--line);border-bottom:1px solid var(--line)}.toc summary{padding:9px 0;font-size:14.5px}
.toc ol{columns:2;column-gap:32px;margin:2px 0 14px;padding-left:1.9em}.toc li{margin:0 0 3px;break-inside:avoid}.toc a{text-decoration:none}.toc a:hover{text-decoration:underline}
@media (max-width:600px){.toc ol{columns:1}.book{font-size:17px}.book h1{font-size:29px}}
.book pre{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:11px 14px;overflow-x:auto;white-space:pre;overflow-wrap:normal;margin:0 0 18px;font-size:13.5px}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}pre code{font-size:1em;overflow-wrap:normal}
figure.plot{padding:15px 16px 6px;margin:26px 0}figure.plot figcaption{font-size:14px;line-height:1.5;padding:8px 0 2px;color:var(--soft)}
figcaption b{color:var(--text)}
.claim{border-left:4px solid var(--doubt);background:var(--card);border-radius:0 10px 10px 0;padding:13px 17px 12px;margin:0 0 20px;font-size:15px;line-height:1.5;
box-shadow:inset 0 0 0 1px var(--line);break-inside:avoid}.claim.holds{border-color:var(--good)}.claim.refuted{border-color:var(--bad)}
.claim p{margin:0 0 7px;hyphens:none}.claim .said{font-size:16px}.claim dl{margin:9px 0 0;display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 14px;font-size:13.5px;color:var(--soft)}
.claim dt{font-weight:600}.claim dd{margin:0}
@media (max-width:520px){.claim dl{grid-template-columns:minmax(0,1fr);gap:0}.claim dd{margin:0 0 5px}}
.verdict{display:inline-block;border-radius:99px;padding:1px 10px;font-size:13px;line-height:1.5;font-weight:600;color:#fff;background:#7d6110;text-decoration:none;white-space:nowrap}
.verdict.holds{background:#1c7248}.verdict.refuted{background:#b3372f}
.interval-strip{max-width:340px;margin:8px 0 2px}.book .card{margin:0 0 24px}.interval-strip text{font:11px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--soft)}
.behind{border-top:1px solid var(--line);margin-top:6px;font-size:13.5px}.behind summary{color:var(--text);font-weight:600}.behind th[colspan]{padding-top:9px;color:var(--text)}
.behind table{font-size:13px;width:auto;min-width:min(100%,29rem)}.behind td,.behind th{padding:3px 6px;border:0}.behind th[scope=row]{white-space:nowrap}.behind tr:hover td,.behind tr:hover th[scope=row]{background:var(--page)}
.measured{font-size:13.5px;line-height:1.4}.measured td:first-child{min-width:13em}.measured td,.measured th{padding:6px 6px}.measured td{vertical-align:top}.measured .pair{white-space:nowrap}
.measured td:first-child,.measured th:first-child{padding-left:0}.measured td:last-child,.measured th:last-child{padding-right:0}
@media (max-width:640px){.measured thead{position:absolute;left:-9999px}.measured tr{display:block;border-bottom:1px solid var(--line);padding:9px 0}
.measured tr:last-child{border:0}.measured td,.measured td.n{display:flex;justify-content:space-between;gap:14px;border:0;padding:2px 0;text-align:right;white-space:normal}
.measured td:first-child{display:block;text-align:left;padding-bottom:5px}.measured td[data-what]::before{content:attr(data-what);color:var(--soft);text-align:left;flex:none}}
.contents{list-style:none;padding:0!important;margin:26px 0 0!important}.contents>li{padding:13px 0 9px;margin:0;border-top:1px solid var(--line);display:grid;grid-template-columns:2.3em minmax(0,1fr);font-size:15px;line-height:1.5}
.contents .number{color:var(--soft);font-variant-numeric:tabular-nums;font-size:17px}.contents h2{font-size:17px;margin:0 0 3px}.contents p{margin:0 0 6px;hyphens:none}
.contents .verdicts{display:flex;flex-wrap:wrap;gap:5px 6px}.contents .later h2{font-weight:400;color:var(--soft)}.contents small{font-size:13px}
@media print{.behind details:not([hidden]){display:block!important}.bar-top,.bar-end,.toc,.skip{display:none}.book{font-size:10.5pt;line-height:1.45}.book h1{font-size:22pt}.book h2{font-size:14pt;margin-top:20pt}
.book pre{white-space:pre-wrap;font-size:8.5pt}.claim,.claim .said{font-size:10pt}.plot .chart svg[role=img]{max-height:78mm}figure.plot{padding:8pt 10pt 0}.book a:not(.verdict){color:inherit;text-decoration:none}}
)css";

}  // namespace gradus::book
