<%@ page session="false" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<%@ taglib prefix="t" tagdir="/WEB-INF/tags" %>
<t:page title="Models" current="index">
<ul class="models">
<c:forEach var="entry" items="${entries}">
<li>
<h2><a href="${pageContext.request.contextPath}/${entry.page()}"><c:out value="${entry.page()}" /></a></h2>
<c:choose>
<c:when test="${not empty entry.summary()}">
<p class="state answers">Answers, version ${entry.summary().version()}</p>
<p><c:out value="${entry.summary().description()}" /></p>
</c:when>
<c:otherwise><p class="state silent"><c:out value="${entry.problem()}" /></p></c:otherwise>
</c:choose>
</li>
</c:forEach>
</ul>
</t:page>
