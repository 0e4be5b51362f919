// The look of pages: light and dark, on screens and on paper. Every text has a contrast of 4.5 at least, every line one of 3.
#pragma once

namespace gradus::train {

inline constexpr const char* report_style = R"css(
:root{color-scheme:light;--page:#fbfbfa;--card:#fff;--text:#1d2530;--soft:#55606d;--line:#e0e3e8;--heat:37,99,168;
--s0:#2563a8;--s1:#b8540f;--s2:#1f7f52;--s3:#8a4fa3;--s4:#b02a52;--s5:#54606c;--good:#1c7248;--bad:#b3372f;--doubt:#7d6110}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;--page:#14181d;--card:#1b2027;--text:#e6e9ed;--soft:#a3adb8;
--line:#2d343d;--heat:104,168,240;--s0:#6fb0f5;--s1:#f2a65a;--s2:#63c695;--s3:#c79be0;--s4:#f08aa6;--s5:#b5bfca;--good:#63c695;
--bad:#f0857d;--doubt:#d9b54a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
-webkit-text-size-adjust:100%}
main{max-width:1040px;margin:0 auto;padding:36px 24px 60px}
h1{font-size:27px;line-height:1.2;margin:0;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:19px;line-height:1.3;margin:44px 0 10px;letter-spacing:-.005em}
p{margin:4px 0 12px}.soft{color:var(--soft)}a{color:var(--s0);text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--s0);outline-offset:2px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(145px,1fr));gap:12px;margin:22px 0 0}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 15px;min-width:0}
.tile b{display:block;font-size:25px;font-weight:650;letter-spacing:-.015em;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));gap:12px}
svg{width:100%;height:auto;display:block;overflow:visible}
.title{font-size:14px;font-weight:600;fill:var(--text)}.label{font-size:12px;fill:var(--soft)}
.grid{stroke:var(--line)}.axis{stroke:var(--soft)}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}.line.dashed{stroke:var(--soft);stroke-dasharray:4 5;stroke-width:1.5}
.interval{fill:none;stroke-width:1.6;opacity:.75}
.line.s0,.interval.s0{stroke:var(--s0)}.line.s1,.interval.s1{stroke:var(--s1)}.line.s2,.interval.s2{stroke:var(--s2)}
.line.s3,.interval.s3{stroke:var(--s3)}.line.s4,.interval.s4{stroke:var(--s4)}.line.s5,.interval.s5{stroke:var(--s5)}
.dot.s0{fill:var(--s0)}.dot.s1{fill:var(--s1)}.dot.s2{fill:var(--s2)}.dot.s3{fill:var(--s3)}.dot.s4{fill:var(--s4)}.dot.s5{fill:var(--s5)}
.chart .title{margin:0 0 6px}.chart .area{position:relative}.chart text{font:12px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--soft)}
.chart text.title{font-size:14px;font-weight:600;fill:var(--text)}
.chart .axis-y .domain{display:none}.chart .axis-y line{stroke:var(--line)}.chart .axis-x path,.chart .axis-x line{stroke:var(--soft)}
.controls{display:flex;flex-wrap:wrap;gap:4px 6px;margin:0 0 8px}
.controls button{display:flex;align-items:center;gap:7px;min-height:28px;padding:2px 9px 2px 7px;font:13px/1.3 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
color:var(--text);background:none;border:1px solid var(--line);border-radius:99px;cursor:pointer;text-align:left}
.controls button:hover{border-color:var(--soft)}.controls button svg{width:24px;height:12px;flex:none}
.controls button[aria-pressed=false]{color:var(--soft);text-decoration:line-through}.controls button[aria-pressed=false] svg{visibility:hidden}
.controls .scale{padding-left:9px;color:var(--soft)}.controls .scale[aria-pressed=false]{text-decoration:none}
.controls .scale[aria-pressed=true]{color:var(--text);border-color:var(--text)}
.cursor{position:absolute;inset:0;cursor:crosshair;touch-action:pan-y;border-radius:6px}
.guide path{stroke:var(--soft);stroke-dasharray:2 3}.guide .dot{stroke:var(--card);stroke-width:1.5}
.note{position:absolute;top:4px;max-width:calc(100% - 8px);padding:7px 10px;font-size:12.5px;line-height:1.45;background:var(--card);color:var(--text);border:1px solid var(--soft);
border-radius:8px;pointer-events:none;font-variant-numeric:tabular-nums}
.note div{display:flex;gap:7px;align-items:center}.note em{margin-left:auto;padding-left:10px;font-style:normal;white-space:nowrap}
.note .key{flex:none;width:9px;height:9px;border-radius:3px;background:var(--soft)}.key.s0{background:var(--s0)!important}.key.s1{background:var(--s1)!important}
.key.s2{background:var(--s2)!important}.key.s3{background:var(--s3)!important}.key.s4{background:var(--s4)!important}.key.s5{background:var(--s5)!important}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
th{font-weight:600;text-align:left;color:var(--soft)}td,th{padding:5px 9px;border-bottom:1px solid var(--line);vertical-align:baseline}
tr:last-child td,tr:last-child th{border-bottom:0}thead:not(:last-child) tr th{border-bottom:1px solid var(--line)}.n,td.n,th.n{text-align:right}
.scroll{overflow-x:auto}
details{margin-top:6px;font-size:13px}summary{cursor:pointer;color:var(--soft);padding:4px 0}
details .scroll{max-height:300px;overflow:auto;margin-top:4px}details table{font-size:13px}
.heat td{text-align:center;border:2px solid var(--card);border-radius:6px;min-width:44px;padding:8px 4px}
.heat th{border:0;white-space:nowrap}.heat thead th{text-align:center;font-size:12px;vertical-align:bottom}
.heat thead tr th{border:0!important}.heat thead th span{writing-mode:vertical-rl;transform:rotate(180deg);display:inline-block}
.heat .zero{color:var(--soft)}.heat .right{font-weight:650}.strong{color:#fff}
@media screen and (prefers-color-scheme:dark){.strong{color:#10151b}}
.bar{display:inline-block;height:8px;border-radius:4px;background:var(--s0);vertical-align:middle}
.mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:12px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;min-width:0}
.mistakes figure{overflow:hidden}
figure img{width:100%;aspect-ratio:1;object-fit:contain;image-rendering:pixelated;background:#000;display:block}
figcaption{padding:9px 11px;font-size:13px;line-height:1.4}.wrong{color:var(--bad)}.truth{color:var(--good)}
pre{margin:0;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.two{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:12px}@media (max-width:760px){.two{grid-template-columns:minmax(0,1fr)}}
footer{margin-top:50px;border-top:1px solid var(--line);padding-top:12px;font-size:13px;color:var(--soft)}
@media (max-width:600px){main{padding:22px 14px 40px}.card,.tile{padding:11px 12px}}
@media print{@page{margin:16mm 15mm}:root{--page:#fff}main{padding:0;max-width:none}.plots,.tiles{grid-template-columns:repeat(3,minmax(0,1fr))}
.two{grid-template-columns:minmax(0,3fr) minmax(0,2fr)}details,.cursor,.note,.controls .scale{display:none!important}
.controls button{border:0;padding:0 8px 0 0;min-height:0}.controls button[aria-pressed=false]{display:none}
.card,.tile,figure,tr{break-inside:avoid}h2,h3{break-after:avoid}p,li{orphans:3;widows:3}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";

}  // namespace gradus::train
