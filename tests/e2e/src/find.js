// Finds what a person using assistive technology would find: visible elements of a role, by their
// accessible name. Arguments: role, name (null for any), the element to search in (null for the
// page). Returns all matches in document order.
const [role, name, within] = arguments;
const IMPLICIT = {
  alert: "", alertdialog: "", article: "article", button: "button, input[type=submit], input[type=button], summary",
  combobox: "select", dialog: "dialog", form: "form", group: "fieldset", heading: "h1, h2, h3, h4, h5, h6", img: "img",
  link: "a[href]", list: "ul, ol", listitem: "li", log: "", main: "main", meter: "meter", progressbar: "progress",
  region: "section", slider: "input[type=range]", status: "output", switch: "", toolbar: "",
  textbox: "input:not([type]), input[type=text], input[type=search], input[type=email], input[type=url], textarea",
};
const squash = (text) => (text ?? "").replace(/\s+/g, " ").trim();
const isHidden = (element) => !element.checkVisibility({ visibilityProperty: true }) || element.closest("[aria-hidden=true], [inert]");
const textOf = (node) => {
  // What a label is for is no part of its own name: a list would be called by all its entries.
  if (node.localName === "select") return "";
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE || node.getAttribute("aria-hidden") === "true" || node.hidden) return "";
  // A list within its own label is no part of its name.
  if (node.localName === "select") return "";
  if (node.ariaLabel) return ` ${node.ariaLabel} `;
  if (node.alt) return ` ${node.alt} `;
  if (node.localName === "title" && node.closest("svg")) return ` ${node.textContent} `;
  return [...node.childNodes].map(textOf).join("");
};
const FROM_CONTENT = new Set(["button", "heading", "link", "listitem", "menuitem", "menuitemradio", "switch"]);
const nameOf = (element) => {
  const ids = element.getAttribute("aria-labelledby");
  if (ids) return squash(ids.split(/\s+/).map((id) => document.getElementById(id)).filter(Boolean).map(textOf).join(" "));
  if (element.getAttribute("aria-label")) return squash(element.getAttribute("aria-label"));
  if (element.labels?.length) return squash([...element.labels].map(textOf).join(" "));
  if (element.getAttribute("alt")) return squash(element.alt);
  const legend = element.localName === "fieldset" && element.querySelector(":scope > legend");
  if (legend) return squash(textOf(legend));
  const titled = element.localName === "svg" && element.querySelector(":scope > title");
  if (titled) return squash(titled.textContent);
  const content = FROM_CONTENT.has(role) ? squash(textOf(element)) : "";
  return content || squash(element.value && element.type === "submit" ? element.value : "")
    || squash(element.getAttribute("title")) || squash(element.getAttribute("placeholder"));
};
const selector = [IMPLICIT[role], `[role=${role}]`].filter(Boolean).join(", ");
return [...(within ?? document).querySelectorAll(selector)]
  .filter((element) => (element.getAttribute("role") ?? role) === role)
  .filter((element) => !isHidden(element))
  .filter((element) => name === null || nameOf(element) === name);
