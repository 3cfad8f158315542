// What the pages can do with JavaScript and do well without: a button that copies each block of code.
"use strict";

function copyButton(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${block.getAttribute("aria-label") || "this text"}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return button;
}

if (navigator.clipboard) {
  for (const block of document.querySelectorAll(".code > pre")) {
    block.parentElement.append(copyButton(block));
  }
}
