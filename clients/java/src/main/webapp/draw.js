"use strict";

// The canvas of the digits page: draws with any pointer, and sends the drawing as the PNG of a data URL.

const form = document.getElementById("draw");
const canvas = document.getElementById("canvas");
const field = document.getElementById("drawing");
const pen = canvas.getContext("2d");

function clear() {
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  field.value = "";
}

/** Returns where a pointer is, in the canvas's own pixels. */
function point(event) {
  const box = canvas.getBoundingClientRect();
  return [
    ((event.clientX - box.left) * canvas.width) / box.width,
    ((event.clientY - box.top) * canvas.height) / box.height,
  ];
}

function press(event) {
  canvas.setPointerCapture(event.pointerId);
  pen.beginPath();
  pen.moveTo(...point(event));
  extend(event);
}

function extend(event) {
  if (!canvas.hasPointerCapture(event.pointerId)) {
    return;
  }
  pen.lineTo(...point(event));
  pen.stroke();
  field.value = canvas.toDataURL("image/png");
}

/** Shows again what was sent before. */
function restore(drawing) {
  const image = new Image();
  image.addEventListener("load", () => pen.drawImage(image, 0, 0));
  image.src = drawing;
}

const sent = field.value;
clear();
if (sent.startsWith("data:image/png;base64,")) {
  field.value = sent;
  restore(sent);
}
pen.lineWidth = 22;
pen.lineCap = "round";
pen.lineJoin = "round";
canvas.addEventListener("pointerdown", press);
canvas.addEventListener("pointermove", extend);
document.getElementById("clear").addEventListener("click", clear);
form.hidden = false;
