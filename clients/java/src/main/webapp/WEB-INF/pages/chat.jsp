<%@ page session="false" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<%@ taglib prefix="t" tagdir="/WEB-INF/tags" %>
<t:page title="Conversation" current="chat">
<p>Tell it your name, ask for the time, a sum, or what it can do.</p>
<c:if test="${not empty turns}">
<ol class="turns" aria-live="polite">
<c:forEach var="turn" items="${turns}">
<li>
<c:if test="${turn.began()}"><p class="began">A new conversation: what was said before is forgotten.</p></c:if>
<p class="question" dir="auto"><c:out value="${turn.question()}" /></p>
<p class="sentence" dir="auto"><c:out value="${turn.sentence()}" /></p>
</li>
</c:forEach>
</ol>
</c:if>
<t:problems />
<form method="post" action="chat">
<div class="field">
<label for="question">Question</label>
<input id="question" name="question" required autocomplete="off" autofocus dir="auto" maxlength="1000"<c:if test="${not answered}"> value="<c:out value="${param.question}" />"</c:if><c:if test="${not empty problems}"> aria-invalid="true" aria-describedby="problems"</c:if>>
</div>
<button type="submit">Ask</button>
</form>
<c:if test="${not empty turns}">
<form method="post" action="chat"><button type="submit" name="anew" value="1">Start anew</button></form>
</c:if>
</t:page>
