// The tool says when it is done (LTI Dynamic Registration 1.0, section 3.7). As Moodle does, from
// whomever it comes.
window.addEventListener("message", (event) => {
  if (event.data && event.data.subject === "org.imsglobal.lti.close") {
    window.location.assign("/admin");
  }
});
