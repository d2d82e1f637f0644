// Before anything is drawn: the scheme that the person chose here, else that of the system.
try {
  document.documentElement.dataset.scheme = localStorage.getItem("scheme") ?? "";
} catch {
  // no choice that outlives the page
}
