// The search runs in a Worker, which browsers refuse to pages that are opened from a folder. There it runs in a hidden
// frame instead, behind the part of the same interface that it uses: postMessage, and "message" events.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.srcdoc = `<script src="${url}"></` + "script>";
      this.inner = new Promise((ready) => frame.addEventListener("load", () => ready(frame.contentWindow)));
      this.inner.then((inner) => {
        inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      });
      document.body.append(frame);
    }

    postMessage(data) {
      this.inner.then((inner) => inner.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
