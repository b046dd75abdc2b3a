// The button that ends a registration: the LMS empties its frame when it hears this
// (1EdTech Dynamic Registration 1.0, section 3.7). Said to the platform we registered with only.
"use strict";

for (const button of document.querySelectorAll("[data-close-to]")) {
  const lms = window.opener || window.parent;
  button.hidden = lms === window;
  button.addEventListener("click", () => {
    lms.postMessage({ subject: "org.imsglobal.lti.close" }, button.dataset.closeTo);
  });
}
