// The form of a model: builds its SOAP message, posts it to the service, and shows what the server draws of the answer.
// `try_message.py` builds the same message where there is no JavaScript.
"use strict";

const SOAP = {
  "1.1": { envelope: "http://schemas.xmlsoap.org/soap/envelope/", type: "text/xml", address: "soap11" },
  "1.2": { envelope: "http://www.w3.org/2003/05/soap-envelope", type: "application/soap+xml", address: "soap12" },
};
const LONG = 400; // characters of a picture: of a longer one only the first are shown
const KEPT = 60;
const form = document.getElementById("call");
const answer = document.getElementById("answer");
const reading = new WeakMap(); // file input -> promise that its preview holds the file
let latest = 0; // number of the last message: what comes late for an earlier one is dropped

class Message {
  // One request; `pictures` are its elements that hold one.
  constructor() {
    this.soap = SOAP[form.elements.soap.value];
    this.document = document.implementation.createDocument(this.soap.envelope, "soap:Envelope");
    this.pictures = [];
    const body = this.document.createElementNS(this.soap.envelope, "soap:Body");
    this.document.documentElement.append(body);
    const call = this.add(body, form.dataset.operation);
    const rows = [...form.querySelectorAll("[data-row]")];
    if (form.dataset.operation === "predictBatch") {
      const instances = this.add(call, "instances");
      rows.forEach((row) => this.addRow(this.add(instances, "item"), row));
      return;
    }
    const session = form.elements.sessionId;
    if (session) {
      this.add(call, "sessionId", session.value);
    }
    this.addRow(call, rows[0]);
  }

  add(parent, name, text) {
    const element = this.document.createElementNS(form.dataset.namespace, name);
    if (text !== undefined) {
      element.textContent = text;
    }
    parent.append(element);
    return element;
  }

  addItems(parent, texts) {
    texts.forEach((text) => this.add(parent, "item", text));
  }

  addRow(parent, row) {
    for (const field of row.querySelectorAll("[data-element]")) {
      const { element, kind, dtype, carrier } = field.dataset;
      if (kind === "image") {
        const content = field.querySelector("img").src.split(",")[1] || "";
        this.pictures.push(this.add(parent, element, content));
        continue;
      }
      const value = field.querySelector("input, select, textarea").value;
      if (field.dataset.optional !== undefined && !value.trim()) {
        continue;
      }
      if (kind === "items" || kind === "lines") {
        this.addItems(this.add(parent, element), kind === "lines" ? lines(value) : items(value));
      } else if (kind === "tensor") {
        const tensor = this.add(parent, element);
        this.add(tensor, "dtype", dtype);
        this.addItems(this.add(tensor, "shape"), items(field.querySelector("[data-shape]").value));
        this.addItems(this.add(tensor, carrier), dtype === "string" ? lines(value) : items(value));
      } else {
        this.add(parent, element, value);
      }
    }
  }

  toString() {
    return `<?xml version="1.0" encoding="utf-8"?>\n${new XMLSerializer().serializeToString(this.document)}`;
  }

  shown() {
    for (const picture of this.pictures.filter((each) => each.textContent.length > LONG)) {
      const text = picture.textContent;
      picture.textContent = `${text.slice(0, KEPT)}… (${text.length.toLocaleString("en")} characters)`;
    }
    return this.toString();
  }
}

function items(text) {
  return text.split(/[\s,;]+/).filter((part) => part);
}

function lines(text) {
  return text ? text.split("\n") : [];
}

async function send() {
  const number = ++latest;
  form.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
  answer.setAttribute("aria-busy", "true");
  try {
    await Promise.all([...form.querySelectorAll("input[type=file]")].map((input) => reading.get(input)));
    const message = new Message();
    const exchanged = await post(message);
    const drawn = await draw(message, exchanged);
    if (number === latest) {
      show(drawn, exchanged.status === 200);
    }
  } catch (error) {
    if (number === latest) {
      complain("The server did not answer", `${error.message}. Is it still running, and can this page reach it?`);
    }
  } finally {
    if (number === latest) {
      answer.removeAttribute("aria-busy");
    }
  }
}

async function post(message) {
  const action = form.dataset.action;
  const type = `${message.soap.type}; charset=utf-8`;
  const headers = message.soap.type === "text/xml"
    ? { "Content-Type": type, "SOAPAction": `"${action}"` }
    : { "Content-Type": `${type}; action="${action}"` };
  const body = message.toString();
  const began = performance.now();
  const response = await fetch(form.dataset[message.soap.address] + form.elements.pin.value,
    { method: "POST", headers, body });
  const text = await response.text();
  return { status: response.status, text, milliseconds: performance.now() - began };
}

async function draw(message, exchanged) {
  const told = new FormData(form);
  form.querySelectorAll("input[type=file]").forEach((input) => told.delete(input.name));
  const picture = form.querySelector("img.sent");
  const fields = {
    request: message.shown(), answer: exchanged.text, status: exchanged.status, milliseconds: exchanged.milliseconds,
    pictureWidth: picture ? picture.naturalWidth : 0, pictureHeight: picture ? picture.naturalHeight : 0,
  };
  Object.entries(fields).forEach(([name, value]) => told.set(name, value));
  const response = await fetch(form.dataset.drawn, { method: "POST", body: told });
  if (response.status === 413) {
    throw new Error("The answer is too large to be drawn");
  }
  if (!response.ok) {
    throw new Error(`The answer could not be drawn (HTTP ${response.status})`);
  }
  return response.text();
}

function show(drawn, succeeded) {
  answer.replaceChildren(...new DOMParser().parseFromString(drawn, "text/html").body.childNodes);
  const picture = answer.querySelector("[data-picture]");
  if (picture) {
    picture.setAttribute("href", form.querySelector("img.sent").src);
  }
  if (navigator.clipboard) {
    answer.querySelectorAll(".code > pre").forEach((block) => block.parentElement.append(copyButton(block)));
  }
  if (form.dataset.operation === "reply" && succeeded) {
    const said = form.querySelector("[data-kind=text] input, [data-kind=text] textarea");
    said.value = "";
    said.focus();
  }
  const fault = answer.querySelector("[data-field]");
  const row = fault && form.querySelectorAll("[data-row]")[fault.dataset.row];
  const field = row && [...row.querySelectorAll("[data-element]")].find(
    (each) => each.dataset.element === fault.dataset.field);
  if (field) {
    const wrong = field.querySelector("input, select, textarea");
    wrong.setAttribute("aria-invalid", "true");
    wrong.focus();
  }
}

function complain(title, words) {
  const note = document.createElement("div");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  for (const [name, text] of [["h2", title], ["p", words]]) {
    const element = document.createElement(name);
    element.textContent = text;
    note.append(element);
  }
  answer.replaceChildren(note);
}

function addRow() {
  const rows = [...form.querySelectorAll("tr[data-row]")];
  const last = rows[rows.length - 1];
  const row = last.cloneNode(true);
  const number = Math.max(...rows.map((each) => Number(each.dataset.row))) + 1;
  row.dataset.row = number;
  for (const each of row.querySelectorAll("[name]")) {
    each.name = each.name.replace(/^\d+\./, `${number}.`);
    each.removeAttribute("aria-invalid");
    each.removeAttribute("id");
  }
  row.querySelectorAll("input[type=file]").forEach(watch);
  last.after(row);
  count();
  row.querySelector("input, select, textarea").focus();
}

function removeRow(button) {
  button.closest("tr").remove();
  count();
  form.querySelector("button[name=add]").focus();
}

function count() {
  const rows = [...form.querySelectorAll("tr[data-row]")];
  rows.forEach((row, index) => {
    row.querySelector(".place").textContent = index + 1;
    const button = row.querySelector("button[name=remove]");
    button.value = row.dataset.row;
    button.setAttribute("aria-label", `Remove row ${index + 1}`);
    button.disabled = rows.length === 1;
  });
}

function watch(input) {
  const drop = input.closest("[data-drop]");
  const preview = drop.querySelector("img");
  input.addEventListener("change", () => {
    if (!input.files.length) {
      return;
    }
    reading.set(input, new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.addEventListener("error", () => reject(new Error("The file can't be read")));
      reader.addEventListener("load", () => {
        preview.addEventListener("load", resolve, { once: true });
        preview.addEventListener("error", resolve, { once: true }); // no picture: the service says so
        preview.src = reader.result;
      });
      reader.readAsDataURL(input.files[0]);
    }));
  });
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change"));
    }
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = event.submitter;
  if (asked && asked.name === "add") {
    addRow();
  } else if (asked && asked.name === "remove") {
    removeRow(asked);
  } else {
    send();
  }
});
form.querySelectorAll("input[type=file]").forEach(watch);
if (form.querySelector("tr[data-row]")) {
  count();
}
