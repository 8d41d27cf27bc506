// Try a task without leaving the page: what is typed elsewhere in the form stays as it is.

const FAILED_STATUS = 400;

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button?.name !== "_try" || !button.closest("#trial")) return;
  event.preventDefault();
  tryTask(event.target, button);
});

// Enter in the panel tries, and does not save the page's form.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("#trial input")) return;
  event.preventDefault();
  document.querySelector('#trial button[value="typed"]').click();
});

async function tryTask(form, button) {
  const sent = new FormData(form);
  sent.append(button.name, button.value);
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: sent });
    if (answer.status >= FAILED_STATUS || answer.redirected) throw new Error(answer.statusText);
    showTrial(await answer.text());
  } catch {
    // The browser sends the form itself, and shows what the server answers.
    button.disabled = false;
    const again = document.createElement("input");
    Object.assign(again, { type: "hidden", name: button.name, value: button.value });
    form.append(again);
    form.submit();
  }
}

function showTrial(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const found = page.getElementById("trial");
  if (!found) throw new Error("the answer has no panel");
  document.getElementById("trial").replaceWith(document.adoptNode(found));
  const wrong = document.querySelector("#trial [aria-invalid]");
  (wrong ?? document.getElementById("trial-summary"))?.focus();
}
