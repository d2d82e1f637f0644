// Before anything is drawn: the scheme that the person chose here, else that of the system.
{
  let scheme = "";
  try {
    scheme = localStorage.getItem("scheme") ?? "";
  } catch {
    // no choice that outlives the page
  }
  if (scheme) document.documentElement.dataset.scheme = scheme;
}
