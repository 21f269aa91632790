"""Quizzes of the built pages: judged with and without a script, kept, put back and read out."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.site.support import CHAPTERS

CHAPTER = "chapters/08_adam.html"


def choose(page: Page, question: int, answer: int) -> None:
    page.locator(".uo-question").nth(question).locator("label").nth(answer).click()


def test_every_answer_says_whether_it_is_right(open_page):
    page = open_page(CHAPTER).page
    questions = page.locator(".uo-question")
    assert questions.count() >= 4
    for question in questions.all():
        verdicts = set()
        for answer in question.locator(".uo-answer").all():
            feedback = answer.locator(".uo-feedback")
            assert not feedback.is_visible()
            answer.locator("label").click()
            assert feedback.is_visible()
            right = answer.get_attribute("data-correct") == "true"
            assert feedback.inner_text().startswith("Right." if right else "Not this one.")
            verdicts.add(right)
        assert verdicts == {True, False}


def test_answers_are_kept_and_read_out(open_page):
    watched = open_page(CHAPTER)
    choose(watched.page, 0, 1)
    said = watched.page.locator(".uo-quiz-said")
    assert said.get_attribute("role") == "status"
    assert "Right." in said.text_content()
    watched.open(CHAPTER)
    assert watched.page.locator(".uo-question").nth(0).locator("input").nth(1).is_checked()
    watched.open("chapters/open-questions.html")
    hidden = watched.page.locator('.uo-question[data-question^="08_adam/"][hidden]')
    assert hidden.count() == 1
    assert "51 of 52" in watched.page.locator("[data-count]").inner_text()
    assert watched.wrong == []


def test_every_chapter_has_a_quiz(site):
    for path in CHAPTERS:
        assert (site / path).read_text(encoding="utf-8").count('class="uo-question"') >= 4, path


def test_a_quiz_needs_no_script(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{CHAPTER}")
    choose(page, 0, 0)
    assert page.locator(".uo-feedback:visible").inner_text().startswith("Not this one.")
    context.close()
