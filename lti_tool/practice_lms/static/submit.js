// Posts the one form of the page. Without JavaScript its button does the same.
document.getElementById("submit").submit();
