// The look of report.html: light and dark, on screens and on paper.
#pragma once

namespace gradus::train {

inline constexpr const char* report_style = R"css(
:root{color-scheme:light dark;--page:#fbfbfa;--card:#fff;--text:#1d2530;--soft:#5c6875;--line:#e2e5e9;--heat:37,99,168;
--s0:#2563a8;--s1:#d2691e;--good:#1f7a4d;--bad:#b3372f}
@media (prefers-color-scheme:dark){:root{--page:#14181d;--card:#1b2027;--text:#e6e9ed;--soft:#98a3af;--line:#2d343d;
--heat:104,168,240;--s0:#6fb0f5;--s1:#f2a65a;--good:#63c695;--bad:#f0857d}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{max-width:1040px;margin:0 auto;padding:36px 24px 60px}
h1{font-size:27px;margin:0;letter-spacing:-.01em}
h2{font-size:18px;margin:40px 0 12px;letter-spacing:-.005em}
p{margin:4px 0 12px}.soft{color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(145px,1fr));gap:12px;margin:22px 0 0}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 15px}
.tile b{display:block;font-size:25px;font-weight:650;letter-spacing:-.015em;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:12px}
svg{width:100%;height:auto;display:block}
.title{font-size:14px;font-weight:600;fill:var(--text)}.label{font-size:12px;fill:var(--soft)}
.grid{stroke:var(--line)}.axis{stroke:var(--soft)}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}.dashed{stroke-dasharray:4 5;stroke-width:1.5}
.line.s0{stroke:var(--s0)}.line.s1{stroke:var(--s1)}.dot.s0{fill:var(--s0)}.dot.s1{fill:var(--s1)}
.line.dashed{stroke:var(--soft)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
th{font-weight:600;text-align:left;color:var(--soft)}td,th{padding:5px 9px;border-bottom:1px solid var(--line)}
tr:last-child td,tr:last-child th{border-bottom:0}.n,td.n,th.n{text-align:right}
.scroll{overflow-x:auto}
.heat td{text-align:center;border:2px solid var(--card);border-radius:6px;min-width:44px;padding:8px 4px}
.heat th{border:0;white-space:nowrap}.heat thead th{text-align:center;font-size:12px;vertical-align:bottom}
.heat thead th span{writing-mode:vertical-rl;transform:rotate(180deg);display:inline-block}
.heat .zero{color:var(--line)}.heat .right{font-weight:650}.strong{color:#fff}
@media (prefers-color-scheme:dark){.strong{color:#10151b}}
.bar{display:inline-block;height:8px;border-radius:4px;background:var(--s0);vertical-align:middle}
.mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(148px,1fr));gap:12px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
figure img{width:100%;aspect-ratio:1;object-fit:contain;image-rendering:pixelated;background:#000;display:block}
figcaption{padding:9px 11px;font-size:13px;line-height:1.4}.wrong{color:var(--bad)}.truth{color:var(--good)}
pre{margin:0;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap}
.two{display:grid;grid-template-columns:3fr 2fr;gap:12px}@media (max-width:760px){.two{grid-template-columns:1fr}}
@media print{:root{--page:#fff;--card:#fff;--text:#111;--soft:#555;--line:#ddd;--heat:37,99,168;--s0:#2563a8;--s1:#d2691e;
--good:#1f7a4d;--bad:#b3372f}.strong{color:#fff}main{padding:0;max-width:none}
.tiles,.plots{grid-template-columns:repeat(3,1fr)}.two{grid-template-columns:3fr 2fr}
.card,.tile,figure,tr{break-inside:avoid}h2{break-after:avoid}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";

}  // namespace gradus::train
