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

start();
// For whoever wants to compare what the page computes with what cfc says.
window.cfc = { data, exactText, floatText, ratioText, rowsAt, stratumAt, underRules, satisfied, judgedAt, insideOf };
