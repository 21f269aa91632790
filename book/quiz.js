// The quizzes of a page: answers are kept and put back, what is said of them is read out, and the page of open questions
// shows what the reader has not answered rightly yet. A quiz works without this; only its memory is here.
(() => {
  const KIND = "quiz";
  const KEPT_AT_MOST = 20;
  const isAnswer = (value) => Array.isArray(value?.chosen) && typeof value.right === "boolean";
  courseStore.define(KIND, { valid: isAnswer, merge: (mine, other) => (other.right && !mine.right ? other : mine) });

  const inputsOf = (question) => [...question.querySelectorAll("input")];
  const isRight = (input) => input.closest(".uo-answer").dataset.correct === "true";

  // All that is right is chosen, and nothing else.
  const isSolved = (question) => inputsOf(question).every((input) => input.checked === isRight(input));

  function putBack(question, kept) {
    inputsOf(question).forEach((input, number) => (input.checked = kept?.chosen.includes(number) ?? false));
  }

  function keep(question) {
    const chosen = inputsOf(question).flatMap((input, number) => (input.checked ? [number] : []));
    courseStore.set(KIND, question.dataset.question, { chosen: chosen.slice(0, KEPT_AT_MOST), right: isSolved(question) });
  }

  function readOut(quiz, input) {
    const said = quiz.querySelector(".uo-quiz-said");
    said.textContent = input.checked ? input.closest(".uo-answer").querySelector(".uo-feedback").textContent : "";
  }

  function prepare(quiz) {
    const said = document.createElement("p");
    said.className = "uo-quiz-said";
    said.setAttribute("role", "status");
    quiz.append(said);
    quiz.addEventListener("change", ({ target }) => {
      keep(target.closest(".uo-question"));
      readOut(quiz, target);
    });
  }

  const questions = () => [...document.querySelectorAll(".uo-question")];

  function showOpenOnes(page) {
    const open = questions().filter((question) => !courseStore.get(KIND, question.dataset.question)?.right);
    for (const question of questions()) question.hidden = !open.includes(question);
    for (const chapter of page.querySelectorAll(".uo-quiz-chapter")) {
      chapter.hidden = !chapter.querySelector(".uo-question:not([hidden])");
    }
    page.querySelector("[data-count]")?.remove();
    const count = document.createElement("p");
    count.dataset.count = open.length;
    const all = questions().length;
    count.textContent = open.length ? `${open.length} of ${all} questions are open.` : `All ${all} questions are answered.`;
    page.prepend(count);
  }

  for (const quiz of document.querySelectorAll(".uo-quiz")) prepare(quiz);
  for (const question of questions()) putBack(question, courseStore.get(KIND, question.dataset.question));
  const page = document.querySelector("[data-open-questions]");
  if (page) showOpenOnes(page);
  courseStore.watch(KIND, (id, kept, elsewhere) => {
    const question = questions().find(({ dataset }) => dataset.question === id);
    if (question && elsewhere) putBack(question, kept);
  });
})();
