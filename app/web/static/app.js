// What the pages do in the browser, apart from what HTMX does by attributes.
(function () {
  "use strict";
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

  document.addEventListener("htmx:configRequest", function (event) {
    event.detail.headers["X-CSRFToken"] = token;
    if (document.hidden && event.detail.triggeringEvent?.type === undefined) event.preventDefault();
  });

  // A select that is open would be replaced under the user's hand.
  document.addEventListener("htmx:beforeSwap", function (event) {
    const active = document.activeElement;
    const chosen = event.detail.requestConfig?.elt === active;
    if (active && active.tagName === "SELECT" && event.detail.target.contains(active) && !chosen) {
      event.detail.shouldSwap = false;
    }
  });

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-apply-columns]") && window.applyColumnVisibility) window.applyColumnVisibility();
    const mover = event.target.closest("[data-move]");
    if (!mover) return;
    const part = mover.closest(".hl-part");
    const before = mover.dataset.move === "-1";
    const other = before ? part.previousElementSibling : part.nextElementSibling;
    if (!other) return;
    other[before ? "before" : "after"](part);
    mover.focus();
    sorted(part.closest("[data-sortable]"));
  });

  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-navigate]")) window.location = event.target.value;
  });

  function sorted(list) {
    list.dispatchEvent(new CustomEvent("sorted"));
  }

  window.addEventListener("load", function () {
    for (const list of document.querySelectorAll("[data-sortable]")) {
      if (!window.Sortable) continue;
      window.Sortable.create(list, { handle: ".hl-grip", animation: 120, ghostClass: "hl-ghost", onEnd: () => sorted(list) });
    }
  });
})();
