<%@ tag description="What every page has around its own content." pageEncoding="UTF-8" trimDirectiveWhitespaces="true" %>
<%@ attribute name="title" required="true" %>
<%@ attribute name="current" %>
<%@ attribute name="script" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<c:set var="root" value="${pageContext.request.contextPath}" />
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title><c:out value="${title}" /></title>
<link rel="icon" href="${root}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${root}/style.css">
<c:if test="${not empty script}"><script src="${root}/${script}" defer></script></c:if>
</head>
<body>
<header>
<nav aria-label="Models">
<a href="${root}/"<c:if test="${current == 'index'}"> aria-current="page"</c:if>>Models</a>
<a href="${root}/iris"<c:if test="${current == 'iris'}"> aria-current="page"</c:if>>Iris</a>
<a href="${root}/digits"<c:if test="${current == 'digits'}"> aria-current="page"</c:if>>Digits</a>
<a href="${root}/language"<c:if test="${current == 'language'}"> aria-current="page"</c:if>>Language</a>
<a href="${root}/chat"<c:if test="${current == 'chat'}"> aria-current="page"</c:if>>Chat</a>
<a href="${root}/digit-reader"<c:if test="${current == 'digit-reader'}"> aria-current="page"</c:if>>Digit reader</a>
<a href="${root}/faces"<c:if test="${current == 'faces'}"> aria-current="page"</c:if>>Faces</a>
</nav>
</header>
<main>
<h1><c:out value="${title}" /></h1>
<jsp:doBody />
</main>
</body>
</html>
