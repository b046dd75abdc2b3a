// The tool came back inside our frame: go on in the whole window.
window.top.location.replace(document.getElementById("leave").href);
