// Reads the data of the page and draws its sections.

function start() {
  drawHeader();
  drawFindings();
  drawPoint();
  drawCode();
  drawGradients();
  drawRules();
  drawTape();
  drawTable();
  drawQuiz();
  drawUndecided();
  drawFooter();
  drawPicture();
  choosePoint(data.points[0]);
}

// On paper the picture is light, and what is folded up is there.
function print_(printing) {
  state.printing = printing;
  document.querySelectorAll("details").forEach((one) => {
    if (printing && !one.open) one.dataset.folded = "";
    if (printing || "folded" in one.dataset) one.open = printing;
    if (!printing) delete one.dataset.folded;
  });
  tell("place");
}

start();
addEventListener("beforeprint", () => print_(true));
addEventListener("afterprint", () => print_(false));
// For whoever wants to compare what the page computes with what cfc says.
window.cfc = { data, exactText, floatText, ratioText, rowsAt, stratumAt, underRules, satisfied, judgedAt, insideOf };
