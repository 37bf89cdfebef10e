// Configs are JSON; where their type has a schema, this shows a form for it. The text stays what is sent.
(function () {
  "use strict";
  if (!window.JSONEditor) return;

  class ConfigEditor {
    constructor(box) {
      this.box = box;
      this.text = box.querySelector("[data-config-text]");
      this.form = box.querySelector("[data-config-form]");
      this.toggle = box.querySelector("[data-config-toggle]");
      this.description = box.querySelector("[data-config-description]");
      this.typed = new Map();
      this.editor = null;
      this.toggle.addEventListener("click", () => (this.form.hidden ? this.showForm() : this.showText()));
      this.select = box.dataset.fixedType ? null : document.querySelector('select[name="type"]');
      this.type = this.select ? this.select.value : box.dataset.fixedType;
      if (this.select) this.select.addEventListener("change", () => this.changeType(this.select.value));
      this.load();
    }

    async changeType(type) {
      this.typed.set(this.type, this.text.value);
      this.type = type;
      this.text.value = this.typed.get(type) ?? "{}";
      await this.load();
    }

    async load() {
      this.destroy();
      // No one can type into a form that is still being made: what was typed there would be taken for what was stored.
      this.form.hidden = true;
      this.schema = null;
      const type = this.type;
      this.description.textContent = "";
      if (this.type) {
        const address = `/forms/${encodeURIComponent(this.box.dataset.kind)}/${encodeURIComponent(this.type)}`;
        try {
          const answer = await fetch(address, { headers: { Accept: "application/json" } });
          const found = answer.ok ? await answer.json() : null;
          if (type !== this.type) return; // another type was chosen meanwhile, and is being loaded
          this.schema = found?.schema ?? null;
          this.description.textContent = found?.description ?? "";
          this.suggestInterval(found?.interval);
        } catch {
          this.schema = null;
        }
      }
      this.toggle.hidden = !this.schema;
      if (this.schema) await this.showForm();
      else this.showText();
    }

    // A type knows how often it is worth asking; what someone typed stays.
    suggestInterval(seconds) {
      const field = document.getElementById("interval_seconds");
      if (!field || field.value !== (this.suggested ?? field.defaultValue) || !location.pathname.endsWith("/create")) return;
      this.suggested = String(seconds ?? field.defaultValue);
      field.value = this.suggested;
    }

    async showForm() {
      let value;
      try {
        value = JSON.parse(this.text.value);
      } catch {
        this.showText();
        return;
      }
      this.destroy();
      const editor = new window.JSONEditor(this.form, {
        schema: this.schema,
        startval: filled(this.schema, value),
        theme: "bootstrap5",
        iconlib: "fontawesome5",
        ajax: false,
        object_layout: "grid",
        disable_collapse: true,
        disable_edit_json: true,
        disable_properties: true,
        disable_array_delete_all_rows: true,
        disable_array_delete_last_row: true,
        no_additional_properties: false,
        show_errors: "never",
        prompt_before_delete: false,
        use_name_attributes: false,
        use_default_values: true,
      });
      await editor.promise;
      if (!covers(editor.getValue(), value)) {
        // The form would drop something that is there: show what is there instead.
        editor.destroy();
        this.showText();
        return;
      }
      this.editor = editor;
      // What was stored stays as it is, to the letter, until someone changes something.
      const untouched = JSON.stringify(editor.getValue());
      editor.on("change", () => {
        const now = editor.getValue();
        if (this.editor !== editor || JSON.stringify(now) === untouched) return;
        this.text.value = JSON.stringify(cleaned(this.schema, now), null, 2);
      });
      this.form.hidden = false;
      this.text.hidden = true;
      this.toggle.textContent = "Edit as JSON";
    }

    showText() {
      this.destroy();
      this.form.hidden = true;
      this.text.hidden = false;
      this.toggle.textContent = "Edit as a form";
    }

    destroy() {
      if (this.editor) this.editor.destroy();
      this.editor = null;
    }
  }

  // Whether everything in `wanted` is in `shown` too.
  function covers(shown, wanted) {
    if (Array.isArray(wanted)) return Array.isArray(shown) && wanted.every((item, index) => covers(shown[index], item));
    if (wanted && typeof wanted === "object") {
      return !!shown && typeof shown === "object" && Object.keys(wanted).every((key) => wanted[key] === null || covers(shown[key], wanted[key]));
    }
    return shown === wanted;
  }

  // The value with every setting of the schema in it: the editor shows only those that are there.
  function filled(schema, value) {
    if (schema?.type === "array" && Array.isArray(value)) return value.map((item) => filled(schema.items, item));
    if (schema?.type !== "object" || !schema.properties) return value;
    const whole = { ...(value && typeof value === "object" ? value : {}) };
    for (const [name, part] of Object.entries(schema.properties)) {
      if (whole[name] === undefined || whole[name] === null) whole[name] = part.default ?? EMPTY[part.type]?.() ?? "";
      whole[name] = filled(part, whole[name]);
    }
    return whole;
  }
  const EMPTY = { object: () => ({}), array: () => [], boolean: () => false };

  // Without what was left empty or at its default: a config says what differs.
  function cleaned(schema, value) {
    if (Array.isArray(value)) return value.map((item) => cleaned(schema?.items, item));
    if (!value || typeof value !== "object") return value;
    const required = schema?.required ?? [];
    const kept = {};
    for (const [name, item] of Object.entries(value)) {
      const part = schema?.properties?.[name];
      const inner = cleaned(part, item);
      if (inner === undefined || inner === null) continue;
      const idle = part && !required.includes(name) && (same(inner, part.default) || (part.default === undefined && isEmpty(inner)));
      if (!idle) kept[name] = inner;
    }
    return kept;
  }

  function same(one, other) {
    return JSON.stringify(one) === JSON.stringify(other);
  }

  function isEmpty(value) {
    return value === "" || value === false || (typeof value === "object" && Object.keys(value).length === 0);
  }

  for (const box of document.querySelectorAll("[data-config-editor]")) new ConfigEditor(box);
})();
